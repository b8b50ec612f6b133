#include "backends/onnx/model_scan.h"

#include <string_view>

#include "backends/common/protobuf.h"

namespace redoubt::backends::onnx {
namespace {

constexpr int kMaxDepth = 100;  // protobuf's own limit on nested messages

// Calls visit(field) until it says true.
template <class Visit>
bool AnyField(Bytes message, Visit visit) {
  MessageReader reader(message);
  Field field;
  while (reader.Next(&field)) {
    if (visit(field)) return true;
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
    return f.is_bytes && (f.number == 1 || f.number == 2) && TensorIsExternal(f.bytes);
  });
}

bool AttributeHasExternal(Bytes attribute, int depth) {
  return AnyField(attribute, [depth](const Field& f) {
    if (!f.is_bytes) return false;
    if (f.number == 5 || f.number == 10) return TensorIsExternal(f.bytes);         // t, tensors
    if (f.number == 6 || f.number == 11) return GraphHasExternal(f.bytes, depth);  // g, graphs
    if (f.number == 22 || f.number == 23) return SparseTensorIsExternal(f.bytes);  // sparse_tensor(s)
    return false;
  });
}

bool NodeHasExternal(Bytes node, int depth) {
  return AnyField(
      node, [depth](const Field& f) { return f.is_bytes && f.number == 5 && AttributeHasExternal(f.bytes, depth); });
}

bool GraphHasExternal(Bytes graph, int depth) {
  if (depth >= kMaxDepth) return true;  // deeper than the vendor would read: refuse rather than guess
  return AnyField(graph, [depth](const Field& f) {
    if (!f.is_bytes) return false;
    if (f.number == 1) return NodeHasExternal(f.bytes, depth + 1);
    if (f.number == 5) return TensorIsExternal(f.bytes);         // initializer
    if (f.number == 15) return SparseTensorIsExternal(f.bytes);  // sparse_initializer
    return false;
  });
}

bool FunctionHasExternal(Bytes function) {
  return AnyField(function, [](const Field& f) { return f.is_bytes && f.number == 7 && NodeHasExternal(f.bytes, 1); });
}

bool TrainingHasExternal(Bytes training) {
  return AnyField(training, [](const Field& f) {
    return f.is_bytes && (f.number == 1 || f.number == 2) && GraphHasExternal(f.bytes, 0);
  });
}

}  // namespace

bool HasExternalData(Bytes model) {
  return AnyField(model, [](const Field& f) {
    if (!f.is_bytes) return false;
    if (f.number == 7) return GraphHasExternal(f.bytes, 0);
    if (f.number == 8) return AnyField(f.bytes, [](const Field&) { return false; });  // readable, as Opset expects
    if (f.number == 20) return TrainingHasExternal(f.bytes);
    if (f.number == 25) return FunctionHasExternal(f.bytes);
    return false;
  });
}

uint64_t WeightBytes(Bytes model) {
  uint64_t total = 0;
  AnyField(model, [&total](const Field& field) {
    if (!field.is_bytes || field.number != 7) return false;
    AnyField(field.bytes, [&total](const Field& f) {
      if (f.is_bytes && f.number == 5) total += f.bytes.size();
      return false;
    });
    return false;
  });
  return total;
}

int64_t Opset(Bytes model) {
  int64_t version = 0;
  AnyField(model, [&version](const Field& field) {
    if (!field.is_bytes || field.number != 8) return false;  // opset_import: domain = 1, version = 2
    bool standard = true;
    int64_t imported = 0;
    AnyField(field.bytes, [&](const Field& f) {
      if (f.is_bytes && f.number == 1) {
        const std::string_view domain = TextOf(f.bytes);
        standard = domain.empty() || domain == "ai.onnx";
      }
      if (f.is_varint && f.number == 2) imported = static_cast<int64_t>(f.varint);
      return false;
    });
    if (standard) version = imported;
    return false;
  });
  return version;
}

}  // namespace redoubt::backends::onnx
