#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace redoubt::search {

class Value;
using Values = std::vector<Value>;

// What stands in a column of an aggregation: nothing (the document has no such field), null (a function had no answer),
// a number, text, or a list. A list is shared between copies and never changed.
class Value {
 public:
  Value() = default;
  explicit Value(double number) : data_(number) {}
  explicit Value(std::string text) : data_(std::move(text)) {}
  explicit Value(Values list);
  static Value Null();

  bool missing() const { return data_.index() == 0; }
  bool null() const { return data_.index() == 1; }
  const double* number() const { return std::get_if<double>(&data_); }
  const std::string* text() const { return std::get_if<std::string>(&data_); }
  const Values* list() const;

  // A number as it is, text that reads as one; else nothing.
  std::optional<double> ToNumber() const;
  // Numbers as NumberText(), text as it is; a list's elements joined by commas; nothing and null are empty.
  std::string ToText() const;
  // False: nothing, null, zero, no characters, no elements.
  bool Truthy() const;
  // The same for equal values of one type, for use as a key: a number and its text differ.
  void AppendKey(std::string& key) const;
  uint64_t Hash() const;
  // What it takes in memory, about.
  size_t MemoryBytes() const;

 private:
  struct NullTag {};
  using List = std::shared_ptr<const Values>;
  std::variant<std::monostate, NullTag, double, std::string, List> data_;
};

// -1, 0 or 1. Nothing and null come before everything, lists last. A number and text compare as numbers when the text
// reads as one, else as text.
int Compare(const Value& a, const Value& b);

// Whole numbers without a point, others with twelve digits; "inf", "-inf", "nan".
std::string NumberText(double number);

}  // namespace redoubt::search
