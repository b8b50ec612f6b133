#include "infer/tiny_onnx_for_test.h"

#include <cctype>
#include <cstring>

namespace redoubt::infer::tiny_onnx {
namespace {

std::string FloatTensor(const std::string& name, float value) {
  std::string raw(sizeof value, '\0');
  std::memcpy(raw.data(), &value, sizeof value);
  return Number(1, 1) + Number(2, 1) + Bytes(8, name) + Bytes(9, raw);  // dims [1], FLOAT
}

std::string Int64Scalar(const std::string& name, int64_t value) {
  std::string raw(sizeof value, '\0');
  std::memcpy(raw.data(), &value, sizeof value);
  return Number(2, 7) + Bytes(8, name) + Bytes(9, raw);
}

std::string BoolScalar(const std::string& name, bool value) {
  return Number(2, 9) + Bytes(8, name) + Bytes(9, std::string(1, value ? '\1' : '\0'));
}

}  // namespace

std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}

std::string Number(int field, uint64_t value) { return Varint(static_cast<uint64_t>(field) << 3) + Varint(value); }

std::string Bytes(int field, const std::string& bytes) {
  return Varint(static_cast<uint64_t>(field) << 3 | 2) + Varint(bytes.size()) + bytes;
}

std::string Value(const std::string& name, int type, const std::vector<std::string>& dims) {
  std::string shape;
  for (const std::string& dim : dims) {
    const bool number = std::isdigit(static_cast<unsigned char>(dim[0])) != 0;
    shape += Bytes(1, number ? Number(1, std::stoull(dim)) : Bytes(2, dim));
  }
  return Bytes(1, name) + Bytes(2, Bytes(1, Number(1, static_cast<uint64_t>(type)) + Bytes(2, shape)));
}

std::string Node(const std::string& op, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                 const std::string& attributes) {
  std::string node;
  for (const std::string& input : inputs) node += Bytes(1, input);
  for (const std::string& output : outputs) node += Bytes(2, output);
  return node + Bytes(3, op + "_" + outputs[0]) + Bytes(4, op) + attributes;
}

std::string Model(const std::string& graph) {
  const std::string opset = Bytes(1, "") + Number(2, 13);
  return Number(1, 8) + Bytes(7, graph) + Bytes(8, opset);
}

std::string Doubler() {
  return Model(Bytes(1, Node("Mul", {"x", "two"}, {"y"})) + Bytes(2, "doubler") + Bytes(5, FloatTensor("two", 2)) +
               Bytes(11, Value("x", 1, {"N", "2"})) + Bytes(12, Value("y", 1, {"N", "2"})));
}

std::string Endless() {
  const std::string body =
      Bytes(1, Node("Identity", {"cond_in"}, {"cond_out"})) + Bytes(1, Node("Sin", {"v_in"}, {"v_out"})) +
      Bytes(2, "body") + Bytes(11, Value("i", 7, {})) + Bytes(11, Value("cond_in", 9, {})) +
      Bytes(11, Value("v_in", 1, {"1"})) + Bytes(12, Value("cond_out", 9, {})) + Bytes(12, Value("v_out", 1, {"1"}));
  const std::string attribute = Bytes(1, "body") + Bytes(6, body) + Number(20, 5);  // type GRAPH
  return Model(Bytes(1, Node("Loop", {"times", "go", "x"}, {"y"}, Bytes(5, attribute))) + Bytes(2, "endless") +
               Bytes(5, Int64Scalar("times", INT64_MAX)) + Bytes(5, BoolScalar("go", true)) +
               Bytes(11, Value("x", 1, {"1"})) + Bytes(12, Value("y", 1, {"1"})));
}

}  // namespace redoubt::infer::tiny_onnx
