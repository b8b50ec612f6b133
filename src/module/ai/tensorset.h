#pragma once

#include <memory>

#include "base/result.h"
#include "module/ai/ai_module.h"
#include "module/host/args.h"
#include "module/host/context.h"
#include "tensor/tensor.h"

namespace redoubt::ai {

// The tensor that the words of an AI.TENSORSET describe; `args` is the whole command.
base::Result<std::shared_ptr<tensor::Tensor>> TensorOfTensorSet(AiModule& ai, host::Context& ctx,
                                                                const host::Args& args);

}  // namespace redoubt::ai
