#include "module/host/key.h"

namespace redoubt::host {

void Key::Close() {
  if (key_ != nullptr) RedisModule_CloseKey(std::exchange(key_, nullptr));
}

}  // namespace redoubt::host
