#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "infer/backend_api.h"

// What backends share where they turn a vendor's results into outputs.
namespace redoubt::backends {

// What the view of a result points into: the vendor's own value, or a copy of it.
template <class Value>
struct ResultOwner {
  explicit ResultOwner(Value none) : value(std::move(none)) {}

  Value value;
  std::vector<int64_t> shape;
  std::vector<char> bytes;        // when the result was copied or put together
  std::vector<uint64_t> offsets;  // of strings in `bytes`
};

template <class Value>
redoubt_output MakeOutput(std::unique_ptr<ResultOwner<Value>> owner, redoubt_dtype dtype, const void* data,
                          uint64_t size) {
  redoubt_output output{};
  output.view.data = data;
  output.view.byte_size = size;
  output.view.shape = owner->shape.data();
  output.view.ndim = static_cast<int32_t>(owner->shape.size());
  output.view.dtype = dtype;
  output.view.string_offsets = owner->offsets.empty() ? nullptr : owner->offsets.data();
  output.owner = owner.release();
  output.release = [](void* p) { delete static_cast<ResultOwner<Value>*>(p); };
  return output;
}

inline std::string Untensorable(const std::string& output, const std::string& why) {
  return "output '" + output + "' has no tensor form: " + why;
}

// Appends a string as views want them: ended by a NUL, its start among the offsets. Throws where it holds one itself.
template <class Value>
void AddString(std::string_view text, const std::string& output, ResultOwner<Value>* owner) {
  if (text.find('\0') != std::string_view::npos) {
    throw std::invalid_argument(Untensorable(output, "a string of it holds a NUL byte"));
  }
  owner->offsets.push_back(owner->bytes.size());
  owner->bytes.insert(owner->bytes.end(), text.begin(), text.end());
  owner->bytes.push_back('\0');
}

// Whether a result is a part of an input, which is only borrowed.
inline bool LiesInAnInput(const void* data, std::span<const redoubt_view> inputs) {
  const auto* p = static_cast<const char*>(data);
  for (const redoubt_view& input : inputs) {
    const auto* begin = static_cast<const char*>(input.data);
    if (p >= begin && p < begin + input.byte_size) return true;
  }
  return false;
}

}  // namespace redoubt::backends
