#include "backends/onnx/external_data.h"

#include <gtest/gtest.h>

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

TEST(ExternalDataTest, FindsAnExternalInitializer) {
  EXPECT_TRUE(Has(Message(7, Message(5, Location(1)))));
  EXPECT_FALSE(Has(Message(7, Message(5, Location(0)))));
}

TEST(ExternalDataTest, FindsOneInAConstantNodeOfASubgraph) {
  const std::string constant = Message(1, Message(5, Message(5, Location(1))));
  EXPECT_TRUE(Has(Message(7, constant)));
  EXPECT_TRUE(Has(Message(7, Message(1, Message(5, Message(6, constant))))));
}

TEST(ExternalDataTest, FindsOneInAFunctionAndInASparseInitializer) {
  EXPECT_TRUE(Has(Message(25, Message(7, Message(5, Message(5, Location(1)))))));
  EXPECT_TRUE(Has(Message(7, Message(15, Message(1, Location(1))))));
}

TEST(ExternalDataTest, IsNotFooledByAnOverlongVarint) {
  EXPECT_TRUE(Has(Message(7, Message(5, std::string("\x70\x81\x80\x80\x80\x10", 6)))));
}

TEST(ExternalDataTest, IsNotFooledByAGroupInFront) {
  EXPECT_TRUE(Has(Message(7, Message(5, std::string("\x0b\x08\x01\x0c", 4) + Location(1)))));
}

TEST(ExternalDataTest, AddsUpTheWeights) {
  const std::string model = Message(7, Message(5, std::string(50, 'x')) + Message(5, std::string(20, 'y')));
  EXPECT_EQ(WeightBytes({reinterpret_cast<const uint8_t*>(model.data()), model.size()}), 70U);
}

TEST(ExternalDataTest, DamagedBytesAreLeftToTheVendor) {
  EXPECT_FALSE(Has(""));
  EXPECT_FALSE(Has("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
  EXPECT_FALSE(Has(std::string("\x3a\x7f", 2)));
}

}  // namespace
}  // namespace redoubt::backends::onnx
