#include "search/numeric_index.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory_resource>
#include <random>
#include <vector>

namespace redoubt::search {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Few different values, so that many lie on the ends of a range; some documents have none.
class NumericIndexRangeTest : public testing::Test {
 protected:
  static constexpr size_t kIds = 1000;
  static constexpr double kValues[] = {-kInfinity, -5, -1, 0, 1, 1.5, 7, kInfinity};

  void Fill(NumericIndex& index) {
    for (Id id = 0; id < kIds; ++id) {
      if (id % 7 == 0) continue;
      index.Set(id, values_[id] = kValues[random_() % std::size(kValues)]);
    }
  }
  size_t Wrong(const NumericIndex& index, const NumericRange& range) const {
    IdSet found(kIds);
    index.Collect(range, found);
    size_t wrong = 0;
    for (Id id = 0; id < kIds; ++id) wrong += found.Contains(id) != range.Contains(values_[id]) ? 1 : 0;
    return wrong;
  }

  std::mt19937 random_{5};
  std::vector<double> values_ = std::vector<double>(kIds, std::numeric_limits<double>::quiet_NaN());
};

TEST_F(NumericIndexRangeTest, FindsWhatIsInARangeWithEitherKindOfEnd) {
  for (bool ordered : {false, true}) {
    NumericIndex index(ordered, std::pmr::get_default_resource());
    Fill(index);
    for (double low : kValues) {
      for (double high : kValues) {
        for (int open = 0; open < 4; ++open) {
          const NumericRange range = {low, high, (open & 1) != 0, (open & 2) != 0};
          EXPECT_EQ(Wrong(index, range), 0U) << low << " " << high << " open " << open << " ordered " << ordered;
        }
      }
    }
  }
}

TEST_F(NumericIndexRangeTest, AnEstimateIsNotBelowWhatIsFound) {
  NumericIndex index(true, std::pmr::get_default_resource());
  Fill(index);
  for (double low : kValues) {
    for (double high : kValues) {
      const NumericRange range = {low, high, false, false};
      IdSet found(kIds);
      index.Collect(range, found);
      EXPECT_GE(index.Estimate(range), found.Count()) << low << " " << high;
    }
  }
}

}  // namespace
}  // namespace redoubt::search
