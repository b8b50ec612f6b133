#include "search/value.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "search/args.h"

namespace redoubt::search {
namespace {

template <class T>
int Sign(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int CompareLists(const Values& a, const Values& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (int sign = Compare(a[i], b[i]); sign != 0) return sign;
  }
  return Sign(a.size(), b.size());
}

int Rank(const Value& value) {
  if (value.missing() || value.null()) return 0;
  return value.list() != nullptr ? 2 : 1;
}

}  // namespace

Value::Value(Values list) : data_(std::make_shared<const Values>(std::move(list))) {}

Value Value::Null() {
  Value value;
  value.data_ = NullTag();
  return value;
}

const Values* Value::list() const {
  const List* list = std::get_if<List>(&data_);
  return list == nullptr ? nullptr : list->get();
}

std::optional<double> Value::ToNumber() const {
  if (number() != nullptr) return *number();
  return text() != nullptr ? ParseDouble(*text()) : std::nullopt;
}

std::string Value::ToText() const {
  if (number() != nullptr) return NumberText(*number());
  if (text() != nullptr) return *text();
  std::string joined;
  if (list() == nullptr) return joined;
  for (const Value& element : *list()) {
    if (!joined.empty()) joined += ',';
    joined += element.ToText();
  }
  return joined;
}

bool Value::Truthy() const {
  if (number() != nullptr) return *number() != 0;
  if (text() != nullptr) return !text()->empty();
  return list() != nullptr && !list()->empty();
}

void Value::AppendKey(std::string& key) const {
  auto append_size = [&](char kind, size_t size) {
    key += kind;
    key.append(reinterpret_cast<const char*>(&size), sizeof size);
  };
  if (number() != nullptr) {
    double value = *number() == 0 ? 0 : *number();  // -0 is 0
    key += 'n';
    key.append(reinterpret_cast<const char*>(&value), sizeof value);
  } else if (text() != nullptr) {
    append_size('t', text()->size());
    key += *text();
  } else if (list() != nullptr) {
    append_size('l', list()->size());
    for (const Value& element : *list()) element.AppendKey(key);
  } else {
    key += '0';
  }
}

size_t Value::MemoryBytes() const {
  size_t bytes = sizeof(Value);
  if (text() != nullptr) bytes += text()->capacity();
  if (list() != nullptr) {
    for (const Value& element : *list()) bytes += element.MemoryBytes();
  }
  return bytes;
}

uint64_t Value::Hash() const {
  std::string key;
  AppendKey(key);
  // Spread once more: the bits of std::hash need not be independent of one another.
  uint64_t hash = std::hash<std::string>()(key);
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  return hash ^ (hash >> 29);
}

int Compare(const Value& a, const Value& b) {
  if (Rank(a) != Rank(b)) return Sign(Rank(a), Rank(b));
  if (Rank(a) == 0) return 0;
  if (Rank(a) == 2) return CompareLists(*a.list(), *b.list());
  if (a.text() != nullptr && b.text() != nullptr) return Sign(*a.text(), *b.text());
  std::optional<double> x = a.ToNumber();
  std::optional<double> y = b.ToNumber();
  if (!x || !y) return Sign(a.ToText(), b.ToText());
  if (std::isnan(*x) || std::isnan(*y)) return Sign(std::isnan(*y), std::isnan(*x));  // NaN first: a strict order
  return Sign(*x, *y);
}

std::string NumberText(double number) {
  if (std::isnan(number)) return "nan";
  constexpr double kWhole = 9.2e18;
  if (std::abs(number) < kWhole && number == std::trunc(number)) return std::to_string(static_cast<int64_t>(number));
  return fmt::format("{:.12g}", number);
}

}  // namespace redoubt::search
