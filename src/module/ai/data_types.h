#pragma once

#include <memory>

#include "module/ai/ai_module.h"
#include "module/ai/model_value.h"
#include "module/host/api.h"
#include "module/host/context.h"
#include "module/host/key.h"
#include "tensor/tensor.h"

namespace redoubt::ai {

// The two data types of the keyspace, AI_TENSOR and AI__MODEL: what the server needs to save, load, copy, measure and
// free them. Registered once in OnLoad.
base::Status RegisterDataTypes(host::Context& ctx);

// The value at the key `name`. NotFound when there is no such key, InvalidArgument when it holds something else, both
// with RedisAI's wire text. A model stays valid until the command ends or changes the key.
base::Result<std::shared_ptr<const tensor::Tensor>> ReadTensor(host::Context& ctx, RedisModuleString* name);
base::Result<const ModelValue*> ReadModel(host::Context& ctx, RedisModuleString* name);

// The value of `key` when it is a model, else null.
const ModelValue* ModelAt(const host::Key& key);
bool HoldsTensor(const host::Key& key);
bool HoldsModel(const host::Key& key);

void SetTensor(host::Key& key, std::shared_ptr<const tensor::Tensor> tensor);
void SetModel(host::Key& key, ModelValue model);

}  // namespace redoubt::ai
