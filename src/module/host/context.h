#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "module/host/api.h"
#include "module/host/args.h"

namespace redoubt::host {

// The server's context of one call, with typed replies. Main thread only. Cheap: a pointer.
class Context {
 public:
  explicit Context(RedisModuleCtx* ctx) : ctx_(ctx) {}
  RedisModuleCtx* raw() const { return ctx_; }

  // ---- the state of the server and of this call ----
  // REDISMODULE_CTX_FLAGS_*
  int Flags() const { return RedisModule_GetContextFlags(ctx_); }
  // A client is there that may wait for an answer: not in MULTI, not in a script, not from the AOF or a primary.
  bool CanBlock() const;
  bool InMultiOrScript() const { return (Flags() & (REDISMODULE_CTX_FLAGS_MULTI | REDISMODULE_CTX_FLAGS_LUA)) != 0; }
  // The command comes from the primary or the AOF: it was checked where it came from, and refusing it loses data.
  bool MustObey() const {
    return (Flags() & (REDISMODULE_CTX_FLAGS_REPLICATED | REDISMODULE_CTX_FLAGS_LOADING |
                       REDISMODULE_CTX_FLAGS_ASYNC_LOADING)) != 0;
  }
  bool Resp3() const { return (Flags() & REDISMODULE_CTX_FLAGS_RESP3) != 0; }
  int db() const { return RedisModule_GetSelectedDb(ctx_); }

  // ---- replies ----
  void ReplyOk() { RedisModule_ReplyWithSimpleString(ctx_, "OK"); }
  void ReplyStatus(const char* text) { RedisModule_ReplyWithSimpleString(ctx_, text); }
  // The text as it goes over the wire, code word included ("ERR ...", "WRONGTYPE ..."); line ends become blanks.
  void ReplyError(std::string_view text);
  // "ERR wrong number of arguments for '<the name as the client sent it>' command"
  void ReplyWrongArity(const Args& args);
  void ReplyBulk(std::string_view text) { RedisModule_ReplyWithStringBuffer(ctx_, text.data(), text.size()); }
  void ReplyBytes(std::span<const std::byte> bytes) {
    RedisModule_ReplyWithStringBuffer(ctx_, reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void ReplyInteger(int64_t value) { RedisModule_ReplyWithLongLong(ctx_, value); }
  // A bulk string with 17 digits in RESP2, a double in RESP3.
  void ReplyDouble(double value) { RedisModule_ReplyWithDouble(ctx_, value); }
  void ReplyNull() { RedisModule_ReplyWithNull(ctx_); }
  // `size` replies follow.
  void ReplyArray(size_t size) { RedisModule_ReplyWithArray(ctx_, static_cast<long>(size)); }
  // `size` pairs follow; in RESP2 an array of 2 * size.
  void ReplyMap(size_t size) { RedisModule_ReplyWithMap(ctx_, static_cast<long>(size)); }

  // ---- effects ----
  // Sends the command as it came to replicas and the AOF.
  void ReplicateVerbatim() { RedisModule_ReplicateVerbatim(ctx_); }

 private:
  RedisModuleCtx* ctx_;
};

// "WRONGTYPE ..." of the server itself.
inline constexpr const char* kWrongType = REDISMODULE_ERRORMSG_WRONGTYPE;

// A wire text on one line: as it is when it begins with an error code ("ERR", "WRONGTYPE", "OOM", ...), else with "ERR
// " in front.
std::string ErrorLine(std::string_view message);

}  // namespace redoubt::host
