#pragma once

#include <tensorflow/c/c_api.h>

#include <memory>
#include <span>
#include <string>

#include "infer/backend_api.h"

namespace redoubt::backends::tf {

using TensorPtr = std::unique_ptr<TF_Tensor, decltype(&TF_DeleteTensor)>;

// REDOUBT_NOT_A_TENSOR for an element type we do not have.
redoubt_dtype FromTf(TF_DataType type);
// "float", "int64", ...: TensorFlow's own words.
const char* TypeName(redoubt_dtype dtype);
const char* TypeName(TF_DataType type);

// A tensor over the view's own bytes where they are aligned as TensorFlow wants them, else, or if `copy`, over a copy.
// TensorFlow never writes into the view. Throws std::invalid_argument.
TensorPtr ToTensor(const redoubt_view& view, bool copy);

// Takes a result over without copying its bytes, but for strings and for a result that lies in one of the run's
// `inputs`. Throws std::invalid_argument for what has no tensor form here.
redoubt_output ToOutput(TensorPtr tensor, const std::string& name, std::span<const redoubt_view> inputs);

}  // namespace redoubt::backends::tf
