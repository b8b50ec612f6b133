#include "search/sorted_blocks.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>

namespace redoubt::search {
namespace {

class SortedBlocksTest : public testing::Test {
 protected:
  std::vector<uint32_t> From(uint32_t first) {
    std::vector<uint32_t> values;
    blocks_.ForEachFrom(first, [&](uint32_t value) {
      values.push_back(value);
      return true;
    });
    return values;
  }

  SortedBlocks<uint32_t> blocks_{std::pmr::get_default_resource()};
  std::set<uint32_t> truth_;
};

TEST_F(SortedBlocksTest, HoldsWhatASetHolds) {
  std::mt19937 random(3);
  for (int step = 0; step < 60'000; ++step) {
    auto value = static_cast<uint32_t>(random() % 5000);
    // Grows at first, then shrinks until blocks are joined and dropped.
    bool insert = random() % 10 < (step < 30'000 ? 8u : 2u);
    if (insert) {
      EXPECT_EQ(blocks_.Insert(value), truth_.insert(value).second);
    } else {
      EXPECT_EQ(blocks_.Erase(value), truth_.erase(value) == 1);
    }
    if (step % 5000 != 0) continue;
    ASSERT_EQ(blocks_.size(), truth_.size());
    ASSERT_EQ(From(1234), std::vector<uint32_t>(truth_.lower_bound(1234), truth_.end()));
  }
}

TEST_F(SortedBlocksTest, EstimatesARangeToWithinABlockAtEachEnd) {
  for (uint32_t value = 0; value < 10'000; ++value) blocks_.Insert(value);
  EXPECT_NEAR(static_cast<double>(blocks_.Estimate(2000, 4000)), 2000, 512);
  EXPECT_EQ(blocks_.Estimate(10'001, 20'000), 0u);
}

TEST_F(SortedBlocksTest, IsDenseWhenFilledInOrder) {
  for (uint32_t value = 0; value < 100'000; ++value) blocks_.Insert(value);
  EXPECT_LT(blocks_.memory_bytes(), 100'000 * 5u);
}

}  // namespace
}  // namespace redoubt::search
