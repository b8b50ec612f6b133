#include "module/ft/json_document.h"

#include <gtest/gtest.h>

#include <cstring>

#include "search/args.h"

namespace redoubt::ft {
namespace {

using search::Field;
using search::FieldType;

base::Json Parse(std::string_view text) { return *base::ParseJson(text); }

Field Of(FieldType type, char separator = search::TagOptions::kNone) {
  Field field;
  field.type = type;
  field.tag.separator = separator;
  return field;
}

TEST(JsonDocumentTest, ATagIsATextAndAnArrayIsSeveral) {
  EXPECT_EQ(HashValue(Of(FieldType::kTag), Parse(R"(["a, b"])")), "a, b");
  EXPECT_EQ(HashValue(Of(FieldType::kTag), Parse(R"([["a","b",null]])")), std::string("a\0b", 3));
  EXPECT_EQ(HashValue(Of(FieldType::kTag), Parse(R"(["a","b"])")), std::string("a\0b", 3));
  EXPECT_EQ(HashValue(Of(FieldType::kTag, ';'), Parse(R"([["a","b"]])")), "a;b");
  EXPECT_EQ(HashValue(Of(FieldType::kTag), Parse("[true]")), "true");
}

TEST(JsonDocumentTest, NullAndWhatIsNotThereAreMissing) {
  for (FieldType type : {FieldType::kTag, FieldType::kText, FieldType::kNumeric, FieldType::kVector}) {
    EXPECT_EQ(HashValue(Of(type), Parse("[]")), std::nullopt);
    EXPECT_EQ(HashValue(Of(type), Parse("[null]")), std::nullopt);
  }
}

TEST(JsonDocumentTest, NumbersOfAnArrayHaveCommasBetweenThem) {
  EXPECT_EQ(HashValue(Of(FieldType::kNumeric), Parse("[-2.5]")), "-2.5");
  EXPECT_EQ(HashValue(Of(FieldType::kNumeric), Parse("[[1,2.5,null,-3e2]]")), "1,2.5,-300.0");
  EXPECT_EQ(HashValue(Of(FieldType::kNumeric), Parse("[1,[2]]")), "1,2");
  for (const char* other : {R"(["3"])", "[true]", R"([{"a":1}])", "[[[1]]]"}) {
    const std::optional<std::string> text = HashValue(Of(FieldType::kNumeric), Parse(other));
    ASSERT_TRUE(text) << other;
    EXPECT_FALSE(search::ParseDouble(*text)) << other;
  }
}

TEST(JsonDocumentTest, TextsOfAnArrayStayApart) {
  EXPECT_EQ(HashValue(Of(FieldType::kText), Parse(R"([["red apple","pear"]])")), std::string("red apple\0pear", 14));
}

TEST(JsonDocumentTest, AVectorIsTheBlobOfItsElements) {
  const auto floats = VectorBlob(vector::ElementType::kFloat32, Parse("[1, -0.5]"));
  ASSERT_EQ(floats->size(), 8U);
  float elements[2];
  std::memcpy(elements, floats->data(), sizeof(elements));
  EXPECT_EQ(elements[0], 1.0F);
  EXPECT_EQ(elements[1], -0.5F);
  EXPECT_EQ(VectorBlob(vector::ElementType::kInt8, Parse("[-128, 127]")), "\x80\x7f");
  EXPECT_EQ(VectorBlob(vector::ElementType::kUInt8, Parse("[255]")), "\xff");
  EXPECT_EQ(VectorBlob(vector::ElementType::kFloat64, Parse("[1,2,3]"))->size(), 24U);
  EXPECT_EQ(VectorBlob(vector::ElementType::kFloat16, Parse("[1]")), std::string("\x00\x3c", 2));
  EXPECT_EQ(VectorBlob(vector::ElementType::kBFloat16, Parse("[1]")), std::string("\x80\x3f", 2));
}

TEST(JsonDocumentTest, WhatIsNoVectorOfTheTypeIsRefused) {
  for (const char* text : {"[128]", "[-129]", "[0.5]", R"(["1"])", "[null]", "[[1]]", "3", "{}"}) {
    EXPECT_FALSE(VectorBlob(vector::ElementType::kInt8, Parse(text))) << text;
  }
  Field field = Of(FieldType::kVector);
  field.vector.dim = 1;
  EXPECT_EQ(HashValue(field, Parse("[[1]]"))->size(), 4U);
  for (const char* text : {R"([["x"]])", "[[1],[2]]", "[3]"}) EXPECT_EQ(HashValue(field, Parse(text)), "") << text;
}

TEST(JsonDocumentTest, SeveralVectorsAreTheirBlobsOneAfterAnother) {
  Field field = Of(FieldType::kVector);
  field.vector.dim = 2;
  field.vector.type = vector::ElementType::kInt8;
  field.vector.several = true;
  EXPECT_EQ(HashValue(field, Parse("[[1,2]]")), "\1\2");
  EXPECT_EQ(HashValue(field, Parse("[[1,2],null,[3,4]]")), "\1\2\3\4");
  EXPECT_EQ(HashValue(field, Parse("[[[1,2],[3,4]],[[5,6],null],[]]")), "\1\2\3\4\5\6");
  for (const char* none : {"[]", "[null]", "[[]]", "[[null]]"}) {
    EXPECT_EQ(HashValue(field, Parse(none)), std::nullopt) << none;
  }
  for (const char* bad : {"[[1],[2,3,4]]", "[[1,2],[3]]", R"([[1,2],["x",3]])", "[[1,2],7]", "[[[[1,2]]]]"}) {
    EXPECT_EQ(HashValue(field, Parse(bad)), "") << bad;
  }
}

TEST(JsonDocumentTest, RepliesShowTheFirstMatch) {
  EXPECT_EQ(ShownValue(Parse(R"(["a \"b\"", 2])")), "a \"b\"");
  EXPECT_EQ(ShownValue(Parse(R"([{"b":1,"a":[2]}])")), R"({"b":1,"a":[2]})");
  EXPECT_EQ(ShownValue(Parse("[1.5]")), "1.5");
  EXPECT_EQ(ShownValue(Parse("[]")), std::nullopt);
}

}  // namespace
}  // namespace redoubt::ft
