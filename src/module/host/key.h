#pragma once

#include <string_view>
#include <utility>

#include "module/host/api.h"
#include "module/host/context.h"

namespace redoubt::host {

// An open key; closed at the end of its life. Main thread only.
class Key {
 public:
  static Key ForRead(Context& ctx, RedisModuleString* name) {
    return Key(ctx.raw(), name, RedisModule_OpenKey(ctx.raw(), name, REDISMODULE_READ));
  }
  // Opening alone counts as no change (the module runs with REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED): Set() and
  // Delete() tell WATCH and client caches.
  static Key ForWrite(Context& ctx, RedisModuleString* name) {
    return Key(ctx.raw(), name, RedisModule_OpenKey(ctx.raw(), name, REDISMODULE_READ | REDISMODULE_WRITE));
  }
  // For looking only: no access time, no hit or miss, no event, no expiry. Servers before 7.2 know the first of these.
  static Key Peek(Context& ctx, RedisModuleString* name) {
    constexpr int kNoEffects = (1 << 16) | (1 << 17) | (1 << 18) | (1 << 19);  // NOTOUCH NONOTIFY NOSTATS NOEXPIRE
    return Key(ctx.raw(), name, RedisModule_OpenKey(ctx.raw(), name, REDISMODULE_READ | kNoEffects));
  }
  ~Key() { Close(); }
  Key(Key&& other) noexcept : ctx_(other.ctx_), name_(other.name_), key_(std::exchange(other.key_, nullptr)) {}
  Key& operator=(Key&&) = delete;

  RedisModuleKey* raw() const { return key_; }
  bool empty() const { return RedisModule_KeyType(key_) == REDISMODULE_KEYTYPE_EMPTY; }
  // REDISMODULE_KEYTYPE_*
  int type() const { return RedisModule_KeyType(key_); }
  bool Holds(RedisModuleType* type) const {
    return RedisModule_KeyType(key_) == REDISMODULE_KEYTYPE_MODULE && RedisModule_ModuleTypeGetType(key_) == type;
  }

  // The value when it is of this type, else null.
  template <class Value>
  Value* Get(RedisModuleType* type) const {
    return Holds(type) ? static_cast<Value*>(RedisModule_ModuleTypeGetValue(key_)) : nullptr;
  }
  // Replaces whatever is there; the type's free callback will get `value`.
  void Set(RedisModuleType* type, void* value);
  void Delete();
  void Close();

 private:
  Key(RedisModuleCtx* ctx, RedisModuleString* name, RedisModuleKey* key) : ctx_(ctx), name_(name), key_(key) {}

  RedisModuleCtx* ctx_;
  RedisModuleString* name_;  // the caller's
  RedisModuleKey* key_;
};

// The bytes of a string of the server, for as long as it lives unchanged.
inline std::string_view View(const RedisModuleString* string) {
  size_t length = 0;
  const char* text = RedisModule_StringPtrLen(string, &length);
  return {text, length};
}

// A string of the server that we own. Main thread only: its count is not atomic.
class String {
 public:
  String() = default;
  explicit String(std::string_view text) : string_(RedisModule_CreateString(nullptr, text.data(), text.size())) {}
  // Takes over one that the server handed out.
  static String Own(RedisModuleString* string) { return String(string); }
  // Shares a command's word beyond the command.
  static String Hold(RedisModuleString* word) { return String(RedisModule_HoldString(nullptr, word)); }
  ~String() {
    if (string_ != nullptr) RedisModule_FreeString(nullptr, string_);
  }
  String(String&& other) noexcept : string_(std::exchange(other.string_, nullptr)) {}
  String& operator=(String&& other) noexcept {
    std::swap(string_, other.string_);
    return *this;
  }
  RedisModuleString* raw() const { return string_; }
  std::string_view view() const { return View(string_); }

 private:
  explicit String(RedisModuleString* string) : string_(string) {}
  RedisModuleString* string_ = nullptr;
};

}  // namespace redoubt::host
