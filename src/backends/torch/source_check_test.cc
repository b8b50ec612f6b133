#include "backends/torch/source_check.h"

#include <gtest/gtest.h>

namespace redoubt::backends::torch {
namespace {

TEST(SourceCheckTest, LetsOrdinarySourceThrough) {
  EXPECT_EQ(RefusalOf(""), "");
  EXPECT_EQ(RefusalOf("def f(a, b):\n    return a + b\n"), "");
}

TEST(SourceCheckTest, RefusesWhatTheCompilerCouldNotDigest) {
  EXPECT_NE(RefusalOf(std::string(300'000, ' ')).find("300000 bytes"), std::string::npos);
  EXPECT_NE(RefusalOf(std::string("a\0b", 3)).find("NUL"), std::string::npos);
}

}  // namespace
}  // namespace redoubt::backends::torch
