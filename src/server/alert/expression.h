#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace redoubt::alert {

// A number (true is 1), a text, or "not observable": what an absent field makes of everything computed from it.
class Value {
 public:
  Value() = default;                                    // not observable
  Value(double number) : value_(number) {}              // NOLINT: implicit, so that results read
  Value(bool truth) : value_(truth ? 1.0 : 0.0) {}      // NOLINT
  Value(std::string text) : value_(std::move(text)) {}  // NOLINT

  bool observable() const { return value_.index() != 0; }
  std::optional<double> number() const {
    return value_.index() == 1 ? std::optional(std::get<1>(value_)) : std::nullopt;
  }
  const std::string* text() const { return std::get_if<std::string>(&value_); }
  // True or false of a number; nothing when it cannot be observed or is a text.
  std::optional<bool> truth() const {
    if (value_.index() != 1) return std::nullopt;
    return std::get<1>(value_) != 0;
  }

 private:
  std::variant<std::monostate, double, std::string> value_;
};

// What an expression may look at.
class Facts {
 public:
  virtual ~Facts() = default;
  virtual Value Field(std::string_view name) const = 0;                     // an INFO field, or probe.<name>
  virtual Value Config(std::string_view name) const = 0;                    // config('save')
  virtual Value Errors(std::string_view code) const = 0;                    // errors('OOM')
  virtual Value Calls(const std::vector<std::string>& commands) const = 0;  // calls('blpop', ...)
  virtual int64_t now_ms() const = 0;
  virtual int interval_ms() const = 0;
};

struct TimedValue {
  int64_t at_ms = 0;
  double value = 0;
};

// The past of one expression's windowed parts at one instance; made by Expression::NewMemory().
class Memory {
 public:
  explicit Memory(size_t windows) : windows_(windows) {}
  std::vector<TimedValue>& window(size_t index) { return windows_[index]; }

 private:
  std::vector<std::vector<TimedValue>> windows_;
};

// A formula of a rule, compiled once and evaluated for every sample. It knows
//   numbers, 'texts', fields (used_memory, probe.ping_ms), + - * /, == != < <= > >=, && || !, ( )
//   coalesce(a, b, ...)  the first that can be observed
//   least(a, ...) greatest(a, ...) starts_with(text, 'x') has(field) config('name') errors('OOM') calls('blpop', ...)
//   over the last s seconds: delta(x, s) increase of a counter, rate(x, s) the same per second, change(x, s) newest
//   minus oldest, max min avg sum p99(x, s), growing(x, s) each third lies above the one before
//   held(x)  seconds for which x has been true without a break
// Absent fields and divisions by zero are not observable, and so is what is computed from them, except that false && x
// is false and true || x is true. Immutable; safe on many threads with separate memories.
class Expression {
 public:
  static base::Result<Expression> Parse(std::string_view text);

  // Remembers the sample in `memory` and evaluates; names of absent fields are added to `missing`.
  Value Evaluate(const Facts& facts, Memory& memory, std::set<std::string>* missing = nullptr) const;
  Memory NewMemory() const { return Memory(windows_); }

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
  size_t windows_ = 0;
};

}  // namespace redoubt::alert
