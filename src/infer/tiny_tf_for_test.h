#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace redoubt::infer::tiny_tf {

// Writes TensorFlow's GraphDefs byte by byte, so that the unit tests need neither files nor Python. Field numbers are
// those of graph.proto, node_def.proto and attr_value.proto.

// Element types, as in types.proto.
enum Type { kFloat = 1, kDouble = 2, kInt32 = 3, kUint8 = 4, kString = 7, kInt64 = 9, kBool = 10, kBfloat16 = 14 };

std::string TypeAttribute(const std::string& name, int type);
std::string ShapeAttribute(const std::string& name, const std::vector<int64_t>& dims);  // -1: any
std::string StringAttribute(const std::string& name, const std::string& value);
std::string NumberAttribute(const std::string& name, uint64_t value);
std::string BoolAttribute(const std::string& name, bool value);
std::string FunctionAttribute(const std::string& name, const std::string& function);

std::string Node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs,
                 const std::string& attributes = "");
std::string Placeholder(const std::string& name, int type, const std::vector<int64_t>& dims);
std::string FloatConst(const std::string& name, const std::vector<int64_t>& dims, const std::vector<float>& values);
std::string StringConst(const std::string& name, const std::string& value);

// `nodes`: what Node() and the like made, one behind the other. `functions`: likewise of Function().
std::string Graph(const std::string& nodes, const std::string& functions = "");
// Of one float argument "x" and one float result "y", which is `result` (as "node:output:0").
std::string Function(const std::string& name, const std::vector<std::string>& nodes, const std::string& result);

// mul[?,2] = a[?,2] * b[?,2], floats
std::string Multiplier();
// y = x of any shape
std::string Identity(int type);
// A loop that ends only when it is stopped: input "x" and output "y" are float scalars.
std::string Endless();

}  // namespace redoubt::infer::tiny_tf
