#include "module/host/context.h"

#include <fmt/core.h>

namespace redoubt::host {
namespace {

// As RedisAI does it: a line end at the end becomes a blank like any other, and its clients compare whole texts.
std::string OneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  }
  return line;
}

}  // namespace

bool Context::CanBlock() const {
  constexpr int kCannot = REDISMODULE_CTX_FLAGS_MULTI | REDISMODULE_CTX_FLAGS_LUA | REDISMODULE_CTX_FLAGS_LOADING |
                          REDISMODULE_CTX_FLAGS_ASYNC_LOADING | REDISMODULE_CTX_FLAGS_REPLICATED |
                          REDISMODULE_CTX_FLAGS_DENY_BLOCKING;
  return (Flags() & kCannot) == 0;
}

void Context::ReplyError(std::string_view text) { RedisModule_ReplyWithError(ctx_, OneLine(text).c_str()); }

void Context::ReplyWrongArity(const Args& args) {
  ReplyError(fmt::format("ERR wrong number of arguments for '{}' command", args[0]));
}

std::string ErrorLine(std::string_view message) {
  // A message may begin with an upper-case word of its own ("BOOL tensor ..."), so only these count as codes.
  static constexpr std::string_view kCodes[] = {"ERR ",    "WRONGTYPE ", "OOM ",       "READONLY ",
                                                "NOPERM ", "LOADING ",   "CROSSSLOT ", "MISCONF "};
  for (std::string_view code : kCodes) {
    if (message.starts_with(code)) return OneLine(message);
  }
  return "ERR " + OneLine(message);
}

}  // namespace redoubt::host
