#include "backends/onnx/external_data.h"

#include <cstddef>
#include <optional>

namespace redoubt::backends::onnx {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr int kMaxDepth = 100;  // protobuf's own limit on nested messages

// One field of a protobuf message: https://protobuf.dev/programming-guides/encoding/
struct Field {
  uint32_t number = 0;
  uint64_t varint = 0;  // wire type 0
  Bytes bytes;          // wire type 2
  bool is_message = false;
  bool is_varint = false;
};

class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}

  // The next field; none at the end or where the bytes stop making sense. Groups are entered: their fields come as if
  // they stood in the message itself, which only makes the search wider.
  std::optional<Field> Next() {
    while (!rest_.empty()) {
      const std::optional<uint64_t> tag = Varint();
      if (!tag) return std::nullopt;
      Field field;
      field.number = static_cast<uint32_t>(*tag >> 3);
      switch (*tag & 7) {
        case 0:
          return VarintField(field);
        case 1:
          if (!Skip(8)) return std::nullopt;
          return field;
        case 2:
          return BytesField(field);
        case 3:
        case 4:
          continue;
        case 5:
          if (!Skip(4)) return std::nullopt;
          return field;
        default:
          return std::nullopt;
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (rest_.empty()) return std::nullopt;
      const uint8_t byte = rest_.front();
      rest_ = rest_.subspan(1);
      if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

  bool Skip(size_t n) {
    if (rest_.size() < n) return false;
    rest_ = rest_.subspan(n);
    return true;
  }

  std::optional<Field> VarintField(Field field) {
    const std::optional<uint64_t> value = Varint();
    if (!value) return std::nullopt;
    field.varint = *value;
    field.is_varint = true;
    return field;
  }

  std::optional<Field> BytesField(Field field) {
    const std::optional<uint64_t> length = Varint();
    if (!length || *length > rest_.size()) return std::nullopt;
    field.bytes = rest_.first(static_cast<size_t>(*length));
    field.is_message = true;
    rest_ = rest_.subspan(static_cast<size_t>(*length));
    return field;
  }

  Bytes rest_;
};

// Calls visit(field) until it says true.
template <class Visit>
bool AnyField(Bytes message, Visit visit) {
  Reader reader(message);
  while (std::optional<Field> field = reader.Next()) {
    if (visit(*field)) return true;
  }
  return false;
}

bool GraphHasExternal(Bytes graph, int depth);

bool TensorIsExternal(Bytes tensor) {
  // data_location = 14, EXTERNAL = 1; protobuf keeps the low 32 bits of an enum.
  return AnyField(tensor,
                  [](const Field& f) { return f.number == 14 && f.is_varint && static_cast<uint32_t>(f.varint) == 1; });
}

bool SparseTensorIsExternal(Bytes sparse) {
  return AnyField(sparse, [](const Field& f) {
    return f.is_message && (f.number == 1 || f.number == 2) && TensorIsExternal(f.bytes);
  });
}

bool AttributeHasExternal(Bytes attribute, int depth) {
  return AnyField(attribute, [depth](const Field& f) {
    if (!f.is_message) return false;
    if (f.number == 5 || f.number == 10) return TensorIsExternal(f.bytes);         // t, tensors
    if (f.number == 6 || f.number == 11) return GraphHasExternal(f.bytes, depth);  // g, graphs
    if (f.number == 22 || f.number == 23) return SparseTensorIsExternal(f.bytes);  // sparse_tensor(s)
    return false;
  });
}

bool NodeHasExternal(Bytes node, int depth) {
  return AnyField(
      node, [depth](const Field& f) { return f.is_message && f.number == 5 && AttributeHasExternal(f.bytes, depth); });
}

bool GraphHasExternal(Bytes graph, int depth) {
  if (depth >= kMaxDepth) return true;  // deeper than the vendor would read: refuse rather than guess
  return AnyField(graph, [depth](const Field& f) {
    if (!f.is_message) return false;
    if (f.number == 1) return NodeHasExternal(f.bytes, depth + 1);
    if (f.number == 5) return TensorIsExternal(f.bytes);         // initializer
    if (f.number == 15) return SparseTensorIsExternal(f.bytes);  // sparse_initializer
    return false;
  });
}

bool FunctionHasExternal(Bytes function) {
  return AnyField(function,
                  [](const Field& f) { return f.is_message && f.number == 7 && NodeHasExternal(f.bytes, 1); });
}

bool TrainingHasExternal(Bytes training) {
  return AnyField(training, [](const Field& f) {
    return f.is_message && (f.number == 1 || f.number == 2) && GraphHasExternal(f.bytes, 0);
  });
}

}  // namespace

bool HasExternalData(Bytes model) {
  return AnyField(model, [](const Field& f) {
    if (!f.is_message) return false;
    if (f.number == 7) return GraphHasExternal(f.bytes, 0);
    if (f.number == 20) return TrainingHasExternal(f.bytes);
    if (f.number == 25) return FunctionHasExternal(f.bytes);
    return false;
  });
}

uint64_t WeightBytes(Bytes model) {
  uint64_t total = 0;
  AnyField(model, [&total](const Field& field) {
    if (!field.is_message || field.number != 7) return false;
    AnyField(field.bytes, [&total](const Field& f) {
      if (f.is_message && f.number == 5) total += f.bytes.size();
      return false;
    });
    return false;
  });
  return total;
}

}  // namespace redoubt::backends::onnx
