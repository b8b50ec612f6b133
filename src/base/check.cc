#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace redoubt::base {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "redoubt: broken assumption %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace redoubt::base
