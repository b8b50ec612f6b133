#pragma once

#include <cstdint>
#include <span>

// What a serialized ONNX model says about itself that ONNX Runtime does not tell.
namespace redoubt::backends::onnx {

// Whether the serialized ONNX model names tensor data outside its own bytes. ONNX Runtime would open such a path on the
// server, so these models are refused before they reach it. Looks at every tensor of the main graph, its subgraphs,
// functions and training graphs (onnx.proto, field data_location). Throws std::invalid_argument for bytes that cannot
// be read with certainty, so that the vendor's parser never sees what was passed over here.
bool HasExternalData(std::span<const uint8_t> model);

// Of a model that HasExternalData has read: the bytes of the main graph's initializers as they lie in the model: about
// what the session will keep of them.
uint64_t WeightBytes(std::span<const uint8_t> model);

// Of such a model: the version of the standard operators (ai.onnx) that the model imports; 0 where it imports none.
int64_t Opset(std::span<const uint8_t> model);

}  // namespace redoubt::backends::onnx
