#include "backends/onnx/model_scan.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace redoubt::backends::onnx {
namespace {

// A length-delimited field; lengths here stay below 128.
std::string Message(int number, const std::string& body) {
  std::string out;
  const int tag = number << 3 | 2;
  if (tag >= 128) {
    out += static_cast<char>(tag % 128 + 128);
    out += static_cast<char>(tag / 128);
  } else {
    out += static_cast<char>(tag);
  }
  out += static_cast<char>(body.size());
  return out + body;
}

std::string Location(char value) { return std::string("\x70", 1) + value; }  // field 14, varint

bool Has(const std::string& model) {
  return HasExternalData({reinterpret_cast<const uint8_t*>(model.data()), model.size()});
}

TEST(ModelScanTest, FindsAnExternalInitializer) {
  EXPECT_TRUE(Has(Message(7, Message(5, Location(1)))));
  EXPECT_FALSE(Has(Message(7, Message(5, Location(0)))));
}

TEST(ModelScanTest, FindsOneInAConstantNodeOfASubgraph) {
  const std::string constant = Message(1, Message(5, Message(5, Location(1))));
  EXPECT_TRUE(Has(Message(7, constant)));
  EXPECT_TRUE(Has(Message(7, Message(1, Message(5, Message(6, constant))))));
}

TEST(ModelScanTest, FindsOneInAFunctionAndInASparseInitializer) {
  EXPECT_TRUE(Has(Message(25, Message(7, Message(5, Message(5, Location(1)))))));
  EXPECT_TRUE(Has(Message(7, Message(15, Message(1, Location(1))))));
}

TEST(ModelScanTest, IsNotFooledByAnOverlongVarint) {
  EXPECT_TRUE(Has(Message(7, Message(5, std::string("\x70\x81\x80\x80\x80\x10", 6)))));
}

TEST(ModelScanTest, RefusesWhatAnotherParserMightReadOtherwise) {
  // data_location with a tag of more than 32 bits: protobuf drops the rest and sees field 14.
  EXPECT_THROW(Has(Message(7, Message(5, std::string("\xf0\x80\x80\x80\x10\x01", 6)))), std::invalid_argument);
  // The same behind a group.
  EXPECT_THROW(Has(Message(7, Message(5, std::string("\x0b\x08\x01\x0c", 4) + Location(1)))), std::invalid_argument);
}

TEST(ModelScanTest, AddsUpTheWeights) {
  const std::string model = Message(7, Message(5, std::string(50, 'x')) + Message(5, std::string(20, 'y')));
  EXPECT_EQ(WeightBytes({reinterpret_cast<const uint8_t*>(model.data()), model.size()}), 70U);
}

int64_t OpsetOf(const std::string& model) {
  return Opset({reinterpret_cast<const uint8_t*>(model.data()), model.size()});
}

TEST(ModelScanTest, FindsTheOpsetOfTheStandardOperators) {
  const std::string version = std::string("\x10\x15", 2);
  EXPECT_EQ(OpsetOf(Message(8, Message(1, "ai.onnx.ml") + std::string("\x10\x03", 2)) + Message(8, version)), 21);
  EXPECT_EQ(OpsetOf(Message(8, Message(1, "ai.onnx") + version)), 21);
  EXPECT_EQ(OpsetOf(Message(8, Message(1, "com.example") + version)), 0);
  EXPECT_EQ(OpsetOf(""), 0);
}

TEST(ModelScanTest, RefusesDamagedBytes) {
  EXPECT_THROW(Has("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), std::invalid_argument);
  EXPECT_THROW(Has(std::string("\x3a\x7f", 2)), std::invalid_argument);
  EXPECT_THROW(Has(Message(8, std::string("\x0a\x7f", 2))), std::invalid_argument);
}

}  // namespace
}  // namespace redoubt::backends::onnx
