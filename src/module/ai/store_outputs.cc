#include "module/ai/store_outputs.h"

#include <string>

#include "module/ai/data_types.h"
#include "module/host/blocked_client.h"

namespace redoubt::ai {
namespace {

base::Status CheckKey(host::Context& effects, const host::Caller& caller, const host::String& name) {
  RETURN_IF_ERROR(host::CheckKeyInWorld(effects, caller, name.raw(), REDISMODULE_CMD_KEY_UPDATE));
  const host::Key key = host::Key::ForRead(effects, name.raw());
  if (!key.empty() && !HoldsTensor(key)) return base::InvalidArgument(host::kWrongType);
  return base::OkStatus();
}

void Replicate(host::Context& effects, const host::String& name, const tensor::Tensor& tensor) {
  std::vector<RedisModuleString*> shape;
  for (int64_t dim : tensor.shape()) shape.push_back(RedisModule_CreateStringFromLongLong(nullptr, dim));
  const std::string dtype(DTypeName(tensor.dtype()));
  RedisModule_Replicate(effects.raw(), "AI.TENSORSET", "scvcb", name.raw(), dtype.c_str(), shape.data(), shape.size(),
                        "BLOB", reinterpret_cast<const char*>(tensor.data().data()), tensor.byte_size());
  for (RedisModuleString* dim : shape) RedisModule_FreeString(nullptr, dim);
}

}  // namespace

base::Status StoreOutputs(host::Context& effects, const host::Caller& caller, std::span<const host::String> names,
                          const infer::Tensors& outputs) {
  RETURN_IF_ERROR(host::CheckWorld(effects));
  for (const host::String& name : names) RETURN_IF_ERROR(CheckKey(effects, caller, name));
  for (size_t i = 0; i < names.size(); ++i) {
    {
      host::Key key = host::Key::ForWrite(effects, names[i].raw());
      SetTensor(key, outputs[i]);
    }
    RedisModule_NotifyKeyspaceEvent(effects.raw(), REDISMODULE_NOTIFY_MODULE, "ai.tensorset", names[i].raw());
    Replicate(effects, names[i], *outputs[i]);
  }
  return base::OkStatus();
}

}  // namespace redoubt::ai
