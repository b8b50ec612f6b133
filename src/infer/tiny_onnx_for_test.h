#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace redoubt::infer::tiny_onnx {

// Writes ONNX models byte by byte, so that the unit tests need neither files nor Python. Field numbers are those of
// onnx.proto; element types: 1 float, 7 int64, 9 bool.
std::string Varint(uint64_t value);
std::string Number(int field, uint64_t value);
std::string Bytes(int field, const std::string& bytes);

std::string Value(const std::string& name, int type, const std::vector<std::string>& dims);  // a dim is "N" or "2"
std::string Node(const std::string& op, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                 const std::string& attributes = "");
std::string Model(const std::string& graph);

// y[N,2] = x[N,2] * 2, floats
std::string Doubler();
// A loop that ends only when it is stopped: input "x" [1] float, output "y" [1] float.
std::string Endless();

}  // namespace redoubt::infer::tiny_onnx
