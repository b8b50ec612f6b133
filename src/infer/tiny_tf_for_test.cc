#include "infer/tiny_tf_for_test.h"

#include <cstring>

#include "infer/tiny_onnx_for_test.h"

namespace redoubt::infer::tiny_tf {
namespace {

using tiny_onnx::Bytes;
using tiny_onnx::Number;

// NodeDef.attr: a map entry with an AttrValue.
std::string Attribute(const std::string& name, const std::string& value) {
  return Bytes(5, Bytes(1, name) + Bytes(2, value));
}

std::string Shape(const std::vector<int64_t>& dims) {
  std::string shape;
  for (int64_t dim : dims) shape += Bytes(2, Number(1, static_cast<uint64_t>(dim)));
  return shape;
}

std::string InFrame(bool constant) {
  return TypeAttribute("T", kFloat) + StringAttribute("frame_name", "loop") + BoolAttribute("is_constant", constant) +
         NumberAttribute("parallel_iterations", 1);
}

}  // namespace

std::string TypeAttribute(const std::string& name, int type) {
  return Attribute(name, Number(6, static_cast<uint64_t>(type)));
}
std::string ShapeAttribute(const std::string& name, const std::vector<int64_t>& dims) {
  return Attribute(name, Bytes(7, Shape(dims)));
}
std::string StringAttribute(const std::string& name, const std::string& value) {
  return Attribute(name, Bytes(2, value));
}
std::string NumberAttribute(const std::string& name, uint64_t value) { return Attribute(name, Number(3, value)); }
std::string BoolAttribute(const std::string& name, bool value) { return Attribute(name, Number(5, value ? 1 : 0)); }
std::string FunctionAttribute(const std::string& name, const std::string& function) {
  return Attribute(name, Bytes(10, Bytes(1, function)));
}

std::string Node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs,
                 const std::string& attributes) {
  std::string node = Bytes(1, name) + Bytes(2, op);
  for (const std::string& input : inputs) node += Bytes(3, input);
  return Bytes(1, node + attributes);
}

std::string Placeholder(const std::string& name, int type, const std::vector<int64_t>& dims) {
  return Node(name, "Placeholder", {}, TypeAttribute("dtype", type) + ShapeAttribute("shape", dims));
}

std::string FloatConst(const std::string& name, const std::vector<int64_t>& dims, const std::vector<float>& values) {
  std::string raw(values.size() * sizeof(float), '\0');
  std::memcpy(raw.data(), values.data(), raw.size());
  const std::string tensor = Number(1, kFloat) + Bytes(2, Shape(dims)) + Bytes(4, raw);
  return Node(name, "Const", {}, TypeAttribute("dtype", kFloat) + Attribute("value", Bytes(8, tensor)));
}

std::string StringConst(const std::string& name, const std::string& value) {
  const std::string tensor = Number(1, kString) + Bytes(2, "") + Bytes(8, value);
  return Node(name, "Const", {}, TypeAttribute("dtype", kString) + Attribute("value", Bytes(8, tensor)));
}

std::string Graph(const std::string& nodes, const std::string& functions) {
  std::string graph = nodes + Bytes(4, Number(1, 1000));  // a producer after which today's rules hold
  if (!functions.empty()) graph += Bytes(2, functions);
  return graph;
}

std::string Function(const std::string& name, const std::vector<std::string>& nodes, const std::string& result) {
  const std::string x = Bytes(1, "x") + Number(3, kFloat);
  const std::string y = Bytes(1, "y") + Number(3, kFloat);
  std::string function = Bytes(1, Bytes(1, name) + Bytes(2, x) + Bytes(3, y));
  for (const std::string& node : nodes) {
    // Node() makes a field of a graph; its number there is 1, here 3.
    function += std::string(1, '\x1a') + node.substr(1);
  }
  return Bytes(1, function + Bytes(4, Bytes(1, "y") + Bytes(2, result)));
}

std::string Multiplier() {
  return Graph(Placeholder("a", kFloat, {-1, 2}) + Placeholder("b", kFloat, {-1, 2}) +
               Node("mul", "Mul", {"a", "b"}, TypeAttribute("T", kFloat)));
}

std::string Identity(int type) {
  return Graph(Node("x", "Placeholder", {}, TypeAttribute("dtype", type)) +
               Node("y", "Identity", {"x"}, TypeAttribute("T", type)));
}

std::string Endless() {
  const std::string t = TypeAttribute("T", kFloat);
  return Graph(Placeholder("x", kFloat, {}) + FloatConst("big", {}, {1e30F}) +
               Node("enter", "Enter", {"x"}, InFrame(false)) + Node("limit", "Enter", {"big"}, InFrame(true)) +
               Node("merge", "Merge", {"enter", "next"}, t + NumberAttribute("N", 2)) +
               Node("less", "Less", {"merge", "limit"}, t) + Node("go", "LoopCond", {"less"}) +
               Node("switch", "Switch", {"merge", "go"}, t) + Node("sin", "Sin", {"switch:1"}, t) +
               Node("next", "NextIteration", {"sin"}, t) + Node("y", "Exit", {"switch"}, t));
}

}  // namespace redoubt::infer::tiny_tf
