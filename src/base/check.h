#pragma once

namespace redoubt::base {

// Prints the broken assumption and aborts: for our own mistakes, never for bad input.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace redoubt::base

#define CHECK(condition)                                            \
  do {                                                              \
    if (!(condition)) {                                             \
      ::redoubt::base::CheckFailed(#condition, __FILE__, __LINE__); \
    }                                                               \
  } while (false)
