#include <cstdint>
#include <cstring>
#include <vector>

#include "tensor/tensor.h"

// Input: dtype number, rank (0..4), rank times 8 bytes of dimension, then the blob.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using redoubt::tensor::Tensor;
  if (size < 2) return 0;
  auto dtype = redoubt::tensor::DTypeFromNumber(data[0]);
  const size_t rank = data[1] % 5;
  if (!dtype || size < 2 + rank * 8) return 0;
  std::vector<int64_t> shape(rank);
  if (rank > 0) std::memcpy(shape.data(), data + 2, rank * 8);
  const auto* blob = reinterpret_cast<const std::byte*>(data) + 2 + rank * 8;
  auto tensor = Tensor::FromBlob(*dtype, std::move(shape), {blob, size - 2 - rank * 8}, redoubt::base::DefaultMemory());
  if (!tensor.ok()) return 0;
  size_t sum = 0;
  for (size_t i = 0; i < (*tensor)->string_offsets().size(); ++i) sum += (*tensor)->StringAt(i).size();
  for (std::byte b : (*tensor)->data()) sum += static_cast<size_t>(b);
  return sum == SIZE_MAX ? 1 : 0;
}
