#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::resp {

// One answer of a server as a tree of values that own their bytes. RESP2 and RESP3 look the same to the reader:
// a map or set is a flat kArray, a double keeps its text, a boolean is an integer.
class Reply {
 public:
  enum class Type { kNil, kStatus, kError, kInteger, kString, kArray };

  Reply() = default;
  static Reply Nil() { return {}; }
  static Reply Status(std::string text) { return {Type::kStatus, std::move(text), 0, {}}; }
  static Reply Error(std::string text) { return {Type::kError, std::move(text), 0, {}}; }
  static Reply Integer(int64_t value) { return {Type::kInteger, {}, value, {}}; }
  static Reply String(std::string bytes) { return {Type::kString, std::move(bytes), 0, {}}; }
  static Reply Array(std::vector<Reply> elements) { return {Type::kArray, {}, 0, std::move(elements)}; }

  Type type() const { return type_; }
  bool IsNil() const { return type_ == Type::kNil; }
  bool IsError() const { return type_ == Type::kError; }
  bool IsArray() const { return type_ == Type::kArray; }
  // An error whose first word is `code`: IsError("NOAUTH").
  bool IsError(std::string_view code) const;

  // The bytes of a string, status or error; an integer as decimal text; empty for the others.
  std::string text() const { return type_ == Type::kInteger ? std::to_string(integer_) : text_; }
  // An integer, or a string that is one; 0 for the others.
  int64_t integer() const;
  const std::vector<Reply>& elements() const { return elements_; }

 private:
  Reply(Type type, std::string text, int64_t integer, std::vector<Reply> elements)
      : type_(type), text_(std::move(text)), integer_(integer), elements_(std::move(elements)) {}

  Type type_ = Type::kNil;
  std::string text_;
  int64_t integer_ = 0;
  std::vector<Reply> elements_;
};

}  // namespace redoubt::resp
