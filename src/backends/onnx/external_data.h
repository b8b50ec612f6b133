#pragma once

#include <cstdint>
#include <span>

namespace redoubt::backends::onnx {

// Whether the serialized ONNX model names tensor data outside its own bytes. ONNX Runtime would open such a path on the
// server, so these models are refused before they reach it. Looks at every tensor of the main graph, its subgraphs,
// functions and training graphs (onnx.proto, field data_location). False for bytes that are no protobuf at all: the
// vendor's parser refuses those itself.
bool HasExternalData(std::span<const uint8_t> model);

// The bytes of the main graph's initializers as they lie in the model: about what the session will keep of them.
uint64_t WeightBytes(std::span<const uint8_t> model);

}  // namespace redoubt::backends::onnx
