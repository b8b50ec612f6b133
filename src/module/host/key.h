#pragma once

#include <utility>

#include "module/host/api.h"
#include "module/host/context.h"

namespace redoubt::host {

// An open key; closed at the end of its life. Main thread only.
class Key {
 public:
  static Key ForRead(Context& ctx, RedisModuleString* name) {
    return Key(RedisModule_OpenKey(ctx.raw(), name, REDISMODULE_READ));
  }
  // Counts as a change of the key (WATCH, client caches) when closed.
  static Key ForWrite(Context& ctx, RedisModuleString* name) {
    return Key(RedisModule_OpenKey(ctx.raw(), name, REDISMODULE_READ | REDISMODULE_WRITE));
  }
  ~Key() { Close(); }
  Key(Key&& other) noexcept : key_(std::exchange(other.key_, nullptr)) {}
  Key& operator=(Key&& other) noexcept {
    std::swap(key_, other.key_);
    return *this;
  }

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
  void Set(RedisModuleType* type, void* value) { RedisModule_ModuleTypeSetValue(key_, type, value); }
  void Delete() { RedisModule_DeleteKey(key_); }
  void Close();

 private:
  explicit Key(RedisModuleKey* key) : key_(key) {}
  RedisModuleKey* key_;
};

// A string of the server that we own. Main thread only: its count is not atomic.
class String {
 public:
  String() = default;
  explicit String(std::string_view text) : string_(RedisModule_CreateString(nullptr, text.data(), text.size())) {}
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
  std::string_view view() const {
    size_t length = 0;
    const char* text = RedisModule_StringPtrLen(string_, &length);
    return {text, length};
  }

 private:
  explicit String(RedisModuleString* string) : string_(string) {}
  RedisModuleString* string_ = nullptr;
};

}  // namespace redoubt::host
