#include "search/reducers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace redoubt::search {
namespace {

class ReducersTest : public testing::Test {
 protected:
  Value Reduce(ReducerSpec spec, const std::vector<Values>& rows) {
    std::unique_ptr<Reducer> reducer = Reducer::Create(spec, random_);
    for (const Values& row : rows) reducer->Add(row);
    return reducer->Finish();
  }
  std::string Text(ReducerSpec spec, const std::vector<Values>& rows) {
    Value value = Reduce(spec, rows);
    return value.null() ? "null" : value.ToText();
  }

  std::mt19937_64 random_{1};
  const std::vector<Values> numbers_ = {{Value(10.0)}, {Value(3.0)},    {Value(std::string("8"))},
                                        {Value()},     {Value::Null()}, {Value(std::string("word"))}};
};

TEST_F(ReducersTest, NumbersAreThoseThatReadAsOne) {
  EXPECT_EQ(Text({ReducerKind::kCount}, numbers_), "6");
  EXPECT_EQ(Text({ReducerKind::kSum}, numbers_), "21");
  EXPECT_EQ(Text({ReducerKind::kMin}, numbers_), "3");
  EXPECT_EQ(Text({ReducerKind::kMax}, numbers_), "10");
  EXPECT_EQ(Text({ReducerKind::kAvg}, numbers_), "7");
  EXPECT_EQ(Text({ReducerKind::kStdDev}, numbers_), "3.60555127546");
  EXPECT_EQ(Text({ReducerKind::kQuantile, 0, 0.5}, numbers_), "8");
  EXPECT_EQ(Text({ReducerKind::kQuantile, 0, 0}, numbers_), "3");
  EXPECT_EQ(Text({ReducerKind::kQuantile, 0, 1}, numbers_), "10");
}

TEST_F(ReducersTest, AGroupWithoutValuesHasZeroOrNothing) {
  const std::vector<Values> none = {{Value()}, {Value::Null()}};
  for (ReducerKind kind : {ReducerKind::kSum, ReducerKind::kMin, ReducerKind::kMax, ReducerKind::kAvg,
                           ReducerKind::kStdDev, ReducerKind::kQuantile, ReducerKind::kCountDistinct}) {
    EXPECT_EQ(Text({kind}, none), "0") << ReducerName(kind);
  }
  EXPECT_EQ(Text({ReducerKind::kFirstValue}, none), "null");
  EXPECT_TRUE(Reduce({ReducerKind::kToList}, none).list()->empty());
}

TEST_F(ReducersTest, DistinctValuesAreCountedAndListedOnce) {
  const Value list(Values{Value(std::string("b")), Value(std::string("c"))});
  const std::vector<Values> rows = {
      {Value(std::string("a"))}, {Value(std::string("b"))}, {list}, {Value(std::string("a"))}};
  EXPECT_EQ(Text({ReducerKind::kCountDistinct}, rows), "3");
  EXPECT_EQ(Text({ReducerKind::kCountDistinctish}, rows), "3");
  EXPECT_EQ(Text({ReducerKind::kToList}, rows), "a,b,c");
}

TEST_F(ReducersTest, AnEstimateOfManyIsWithinThreePercent) {
  for (size_t many : {1'000, 20'000, 300'000}) {
    std::vector<Values> rows;
    for (size_t i = 0; i < many; ++i) rows.push_back({Value(static_cast<double>(i) * 1.5)});
    double estimate = *Reduce({ReducerKind::kCountDistinctish}, rows).number();
    EXPECT_NEAR(estimate, static_cast<double>(many), static_cast<double>(many) * 0.05) << many;
  }
}

TEST_F(ReducersTest, FirstValueFollowsTheOrderOfAnotherColumn) {
  const std::vector<Values> rows = {{Value(std::string("x")), Value()},
                                    {Value(std::string("mid")), Value(2.0)},
                                    {Value(std::string("low")), Value(1.0)},
                                    {Value(std::string("high")), Value(3.0)}};
  EXPECT_EQ(Text({.kind = ReducerKind::kFirstValue}, rows), "x");
  EXPECT_EQ(Text({.kind = ReducerKind::kFirstValue, .by_column = 1}, rows), "low");
  EXPECT_EQ(Text({.kind = ReducerKind::kFirstValue, .by_column = 1, .by_ascending = false}, rows), "high");
}

TEST_F(ReducersTest, ASampleIsEvenlyDrawn) {
  std::vector<Values> rows;
  for (int i = 0; i < 20; ++i) rows.push_back({Value(static_cast<double>(i))});
  std::map<double, int> drawn;
  for (int round = 0; round < 4000; ++round) {
    Value sample = Reduce({.kind = ReducerKind::kRandomSample, .sample = 5}, rows);
    ASSERT_EQ(sample.list()->size(), 5U);
    for (const Value& value : *sample.list()) ++drawn[*value.number()];
  }
  ASSERT_EQ(drawn.size(), 20U);
  for (auto [value, times] : drawn) EXPECT_NEAR(times, 1000, 150) << value;
}

}  // namespace
}  // namespace redoubt::search
