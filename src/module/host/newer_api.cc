#include "module/host/newer_api.h"

namespace redoubt::host {
namespace {

template <class Function>
void LookUp(const char* name, Function* function) {
  void* found = nullptr;
  if (RedisModule_GetApi(name, &found) == REDISMODULE_OK) *function = reinterpret_cast<Function>(found);
}

}  // namespace

NewerApi LookUpNewerApi() {
  NewerApi api;
  LookUp("RedisModule_AddACLCategory", &api.AddACLCategory);
  LookUp("RedisModule_SetCommandACLCategories", &api.SetCommandACLCategories);
  return api;
}

}  // namespace redoubt::host
