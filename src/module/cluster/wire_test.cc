#include "module/cluster/wire.h"

#include <gtest/gtest.h>

namespace redoubt::cluster {
namespace {

std::string Sample() {
  WireWriter writer;
  writer.Byte(7);
  writer.Number(0x0123456789abcdef);
  writer.Double(-0.1);
  writer.Text(std::string_view("a\0b", 3));
  return writer.Take();
}

TEST(WireTest, ReadsWhatWasWritten) {
  const std::string bytes = Sample();
  WireReader reader(bytes);
  EXPECT_EQ(*reader.Byte(), 7);
  EXPECT_EQ(*reader.Number(), 0x0123456789abcdefU);
  EXPECT_EQ(*reader.Double(), -0.1);
  EXPECT_EQ(*reader.Text(), std::string_view("a\0b", 3));
  EXPECT_TRUE(reader.rest().empty());
  EXPECT_FALSE(reader.Byte().ok());
}

TEST(WireTest, RefusesEveryPrefix) {
  const std::string bytes = Sample();
  for (size_t size = 0; size < bytes.size(); ++size) {
    WireReader reader(std::string_view(bytes).substr(0, size));
    const bool whole = reader.Byte().ok() && reader.Number().ok() && reader.Double().ok() && reader.Text().ok();
    EXPECT_FALSE(whole) << size;
  }
}

TEST(WireTest, RefusesCountsThatCannotBeTrue) {
  WireWriter writer;
  writer.Number(UINT64_MAX);
  const std::string bytes = writer.Take();
  EXPECT_FALSE(WireReader(bytes).Count(8).ok());
  EXPECT_FALSE(WireReader(bytes).Text().ok());
}

}  // namespace
}  // namespace redoubt::cluster
