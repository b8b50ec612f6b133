#pragma once

#include <concepts>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/status.h"

namespace redoubt::base {

// A value or the reason why there is none. Own type because libstdc++'s <expected> is closed to the clang that
// libFuzzer and clang-tidy need on Debian 12.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit, so `return value;` reads
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {  // NOLINT: implicit, as above
    CHECK(!std::get<1>(state_).ok());
  }
  // Lets a Result<unique_ptr<Derived>> convert, as its value would.
  template <class U>
  requires std::convertible_to<U, T> &&
      (!std::same_as<std::remove_cvref_t<U>, T>)&&(!std::same_as<std::remove_cvref_t<U>, Status>)&&(
          !std::same_as<std::remove_cvref_t<U>, Result<T>>)Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT: implicit, as above

  bool ok() const { return state_.index() == 0; }
  Status status() const { return ok() ? OkStatus() : std::get<1>(state_); }

  T& value() & {
    CHECK(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    CHECK(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace redoubt::base

#define REDOUBT_CONCAT_INNER(a, b) a##b
#define REDOUBT_CONCAT(a, b) REDOUBT_CONCAT_INNER(a, b)

// ASSIGN_OR_RETURN(auto x, F()): declares x from a Result, or leaves the function with its error.
#define ASSIGN_OR_RETURN(declaration, expr) \
  ASSIGN_OR_RETURN_INNER(REDOUBT_CONCAT(redoubt_result_, __LINE__), declaration, expr)
#define ASSIGN_OR_RETURN_INNER(result, declaration, expr) \
  auto result = (expr);                                   \
  if (!result.ok()) return result.status();               \
  declaration = std::move(result).value()
