#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

namespace redoubt::diagnose {

// A value inside a text, without its quotes: [begin, end).
struct ValueSpan {
  size_t begin = 0;
  size_t end = 0;

  std::string_view In(std::string_view text) const { return text.substr(begin, end - begin); }
};

// Calls `take` with each list of values that stands in a pasted text: a reply as redis-cli prints it (nested lists one
// by one), RESP, words in quotes, and the arguments of a command one per line (redis-cli --raw). The notations are
// looked for one after the other, so that a value may come in more than one list.
void ForEachList(std::string_view text, const std::function<void(std::span<const ValueSpan>)>& take);

}  // namespace redoubt::diagnose
