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

// The value of `key` when it is of that type, else null.
std::shared_ptr<const tensor::Tensor> TensorAt(const host::Key& key);
const ModelValue* ModelAt(const host::Key& key);
bool HoldsTensor(const host::Key& key);
bool HoldsModel(const host::Key& key);

void SetTensor(host::Key& key, std::shared_ptr<const tensor::Tensor> tensor);
void SetModel(host::Key& key, ModelValue model);

}  // namespace redoubt::ai
