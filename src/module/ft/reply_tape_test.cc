#include "module/ft/reply_tape.h"

#include <gtest/gtest.h>

namespace redoubt::ft {
namespace {

std::string Sample() {
  ReplyTape tape(false);
  tape.ReplyArray(2);
  tape.ReplyMap(1);
  tape.ReplyStatus("Time");
  tape.ReplyDouble(0.5);
  tape.ReplyArray(2);
  tape.ReplyBulk("a");
  tape.ReplyInteger(-3);
  return tape.Take();
}

TEST(ReplyTapeTest, AWholeReplyMayBePlayedAndNoPartOfIt) {
  const std::string bytes = Sample();
  EXPECT_TRUE(ReplyTape::Check(bytes).ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(ReplyTape::Check(bytes.substr(0, size)).code(), base::StatusCode::kDataLoss) << size;
  }
  EXPECT_EQ(ReplyTape::Check(bytes + bytes).code(), base::StatusCode::kDataLoss);
}

TEST(ReplyTapeTest, OtherBytesAreRefused) {
  ReplyTape huge(false);
  huge.ReplyArray(SIZE_MAX);
  EXPECT_EQ(ReplyTape::Check(huge.Take()).code(), base::StatusCode::kDataLoss);
  EXPECT_EQ(ReplyTape::Check(std::string(9, '\x42')).code(), base::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace redoubt::ft
