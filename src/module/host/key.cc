#include "module/host/key.h"

namespace redoubt::host {

void Key::Set(RedisModuleType* type, void* value) {
  RedisModule_ModuleTypeSetValue(key_, type, value);
  RedisModule_SignalModifiedKey(ctx_, name_);
}

void Key::Delete() {
  RedisModule_DeleteKey(key_);
  RedisModule_SignalModifiedKey(ctx_, name_);
}

void Key::Close() {
  if (key_ != nullptr) RedisModule_CloseKey(std::exchange(key_, nullptr));
}

}  // namespace redoubt::host
