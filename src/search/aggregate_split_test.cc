#include "search/aggregate_split.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "search/aggregate_request.h"
#include "search/create_parser.h"

namespace redoubt::search {
namespace {

using Texts = std::vector<std::string>;

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t end = text.find('~'); end != std::string_view::npos; end = text.find('~')) {
    words.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  words.push_back(text);
  return words;
}

// The same random documents in one index and in three: an aggregation over shards answers as one over all does.
class AggregateSplitTest : public testing::Test {
 protected:
  static constexpr size_t kShards = 3;

  void SetUp() override {
    const std::vector<std::string_view> create = {
        "i",    "SCHEMA", "n",    "NUMERIC", "g",   "TAG", "SORTABLE",        "v", "VECTOR",
        "FLAT", "6",      "TYPE", "FLOAT32", "DIM", "1",   "DISTANCE_METRIC", "L2"};
    for (size_t i = 0; i <= kShards; ++i) {
      indexes_.push_back(Index::Create(ParseCreate(create).value(), base::DefaultMemory()).value());
    }
    std::mt19937 random(7);
    for (int i = 0; i < 400; ++i) Put(i, random);
  }

  void Put(int i, std::mt19937& random) {
    const std::string key = fmt::format("d{}", i);
    std::map<std::string, std::string>& hash = hashes_[key];
    const float at = static_cast<float>(random() % 100000) / 100;
    hash["v"] = std::string(reinterpret_cast<const char*>(&at), sizeof at);
    if (random() % 10 > 0) hash["n"] = fmt::format("{}", static_cast<double>(random() % 4000) / 8 - 100);
    if (random() % 10 > 0) hash["g"] = fmt::format("g{}", random() % 7);
    hash["o"] = fmt::format("o{}", random() % 50);
    hash["id"] = fmt::format("{}", i);
    std::vector<std::optional<std::string_view>> values;
    for (const char* name : {"n", "g", "v"}) {
      const auto found = hash.find(name);
      values.push_back(found == hash.end() ? std::nullopt : std::optional<std::string_view>(found->second));
    }
    ASSERT_TRUE(indexes_[kShards]->Put(key, values).ok());
    ASSERT_TRUE(indexes_[random() % kShards]->Put(key, values).ok());
  }

  void Load(AggregateRun& run) {
    for (AggregateRow& row : run.rows()) {
      const auto& hash = hashes_[row.key];
      for (const LoadStep::Source& source : run.load().fields) {
        if (auto found = hash.find(source.path); found != hash.end()) row.values[source.column] = Value(found->second);
      }
      if (run.load().everything) row.extra.assign(hash.begin(), hash.end());
    }
  }

  Status RunAll(AggregateRun& run) {
    while (true) {
      ASSIGN_OR_RETURN(AggregateRun::State state, run.Advance(nullptr));
      if (state == AggregateRun::State::kDone) return base::OkStatus();
      Load(run);
    }
  }

  AggregatePlan Plan(std::string_view request, const Index& index) {
    return PlanAggregate(Split(request), index.definition()).value();
  }

  // The rows in their order, behind them the total.
  static Texts Shown(const AggregateRun& run, const std::vector<AggregateRow>& rows) {
    Texts texts;
    for (const AggregateRow& row : rows) {
      std::string& text = texts.emplace_back();
      for (size_t i = 0; i < row.values.size(); ++i) {
        if (row.values[i].missing()) continue;
        text += fmt::format("{}={} ", run.names()[i], row.values[i].null() ? "null" : row.values[i].ToText());
      }
      for (const auto& [name, value] : row.extra) text += fmt::format("+{}={} ", name, name == "v" ? "" : value);
    }
    texts.push_back(fmt::format("total {}", run.total()));
    return texts;
  }

  Texts OfOne(std::string_view request) {
    const AggregatePlan plan = Plan(request, *indexes_[kShards]);
    AggregateRun run(plan, 1);
    run.TakeDocuments(indexes_[kShards]->Search(plan.search));
    const Status status = RunAll(run);
    return status.ok() ? Shown(run, run.rows()) : Texts{status.message()};
  }

  Texts OfShards(std::string_view request) {
    AggregatePlan rest = Plan(request, *indexes_[0]);
    EXPECT_TRUE(MakeRestOfAggregate(rest).ok());
    std::vector<AggregateRow> rows;
    size_t total = 0;
    for (size_t i = 0; i < kShards; ++i) {
      AggregatePlan plan = Plan(request, *indexes_[i]);
      EXPECT_TRUE(MakeShardAggregate(plan).ok());
      EXPECT_EQ(ShardColumns(plan), rest.stages[0]) << request;
      AggregateRun run(plan, 1);
      run.TakeDocuments(indexes_[i]->Search(plan.search));
      if (Status status = RunAll(run); !status.ok()) return {status.message()};
      total += run.total();
      std::move(run.rows().begin(), run.rows().end(), std::back_inserter(rows));
    }
    total = KeepNearest(rest, total, rows);
    AggregateRun run(rest, 1);
    run.TakeRows(std::move(rows), total, false);
    const base::Result<AggregateRun::State> state = run.Advance(nullptr);
    if (!state.ok()) return {state.status().message()};
    EXPECT_EQ(*state, AggregateRun::State::kDone);
    return Shown(run, run.rows());
  }

  std::vector<std::unique_ptr<Index>> indexes_;  // those of the shards, and one of all documents
  std::map<std::string, std::map<std::string, std::string>> hashes_;
};

TEST_F(AggregateSplitTest, WhatIsSortedIsTheSameInTheSameOrder) {
  for (std::string_view request : {
           "*~LOAD~1~@id~SORTBY~4~@n~DESC~@id~ASC",
           "*~LOAD~2~@id~@n~SORTBY~2~@id~DESC~LIMIT~3~7",
           "@n:[0 200]~LOAD~1~@id~APPLY~@n * 2~AS~m~FILTER~@m > 50~SORTBY~2~@id~ASC~MAX~30",
           "*~LOAD~1~@id~SORTBY~4~@n~ASC~@id~ASC~LIMIT~0~5~APPLY~upper(@g)~AS~G",
           "@n:[0 300]~LOAD~1~@id~SORTBY~4~@n~ASC~@id~ASC~LIMIT~0~50~LOAD~1~@o~FILTER~@o != 'o3'~GROUPBY~1~@o~REDUCE~"
           "COUNT~0~AS~c~SORTBY~4~@c~DESC~@o~ASC",
           "*~LOAD~1~@id~SORTBY~4~@n~ASC~@id~ASC~LIMIT~10~10~SORTBY~2~@id~DESC~LIMIT~1~3",
           "*~GROUPBY~1~@g~REDUCE~COUNT~0~AS~c~SORTBY~2~@g~ASC",
           "*~LOAD~2~@o~@id~GROUPBY~2~@g~@o~REDUCE~COUNT~0~AS~c~REDUCE~SUM~1~@n~AS~s~REDUCE~MIN~1~@n~AS~lo~REDUCE~MAX~"
           "1~@n~AS~hi~REDUCE~AVG~1~@n~AS~a~REDUCE~STDDEV~1~@n~AS~d~REDUCE~QUANTILE~2~@n~0.9~AS~q~REDUCE~"
           "COUNT_DISTINCT~1~@o~AS~u~REDUCE~COUNT_DISTINCTISH~1~@id~AS~v~REDUCE~FIRST_VALUE~4~@id~BY~@id~DESC~AS~f~"
           "SORTBY~4~@g~ASC~@o~ASC~MAX~1000",
           "*~GROUPBY~1~@g~REDUCE~COUNT~0~AS~c~APPLY~@c % 2~AS~odd~GROUPBY~1~@odd~REDUCE~SUM~1~@c~AS~s~SORTBY~1~@odd",
           "*~GROUPBY~0~REDUCE~COUNT~0~AS~c",
           "@n:[9000 9001]~GROUPBY~0~REDUCE~COUNT~0~AS~c",
           "*=>[KNN 20 @v $b AS dist]~LOAD~1~@id~PARAMS~2~b~AAAC~DIALECT~2",
           "*=>[KNN 9 @v $b]~GROUPBY~1~@g~REDUCE~COUNT~0~AS~c~SORTBY~2~@g~ASC~PARAMS~2~b~AAAC~DIALECT~2",
           "@n:[0 200]=>[KNN 15 @v $b AS dist]~APPLY~@n + 1~AS~m~FILTER~@m < "
           "100~LOAD~1~@id~SORTBY~2~@id~ASC~PARAMS~2~b~"
           "AAAC~DIALECT~2",
           "*=>[KNN 8 @v $b AS dist]~LOAD~1~@id~LIMIT~2~3~PARAMS~2~b~AAAC~DIALECT~2",
       }) {
    EXPECT_EQ(OfShards(request), OfOne(request)) << request;
  }
}

TEST_F(AggregateSplitTest, WhatHasNoOrderIsTheSameInAnyOrder) {
  for (std::string_view request : {
           "*~LOAD~*",
           "*~LOAD~1~@id~FILTER~@id < 50",
           "*~LOAD~2~@id~@o~APPLY~split(format('%s,%s', @o, 'x'))~AS~l~GROUPBY~1~@l~REDUCE~COUNT~0~AS~c",
           "*~GROUPBY~1~@g~REDUCE~QUANTILE~2~@n~0.25~AS~q~FILTER~@q > -1000",
       }) {
    Texts one = OfOne(request);
    Texts shards = OfShards(request);
    std::sort(one.begin(), one.end());
    std::sort(shards.begin(), shards.end());
    EXPECT_EQ(shards, one) << request;
  }
}

TEST_F(AggregateSplitTest, AListIsMergedAndASampleIsOfAllRows) {
  Texts rows = OfShards("*~LOAD~1~@o~GROUPBY~0~REDUCE~TOLIST~1~@o~AS~l~REDUCE~RANDOM_SAMPLE~2~@o~20~AS~s");
  ASSERT_EQ(rows.size(), 2u);
  const auto commas = [](std::string_view text) { return std::count(text.begin(), text.end(), ','); };
  const size_t sample = rows[0].find(" s=");
  EXPECT_EQ(commas(rows[0].substr(0, sample)), 49);  // fifty values
  EXPECT_EQ(commas(rows[0].substr(sample)), 19);
}

TEST_F(AggregateSplitTest, AnErrorOfAnExpressionIsTheSame) {
  EXPECT_EQ(OfShards("*~APPLY~@n + 1~AS~m"), OfOne("*~APPLY~@n + 1~AS~m"));
}

TEST_F(AggregateSplitTest, ALoadThatAnApplyWouldOverwriteIsRefused) {
  AggregatePlan plan = Plan("*~SORTBY~1~@n~APPLY~@n~AS~o~LOAD~1~@o", *indexes_[0]);
  EXPECT_EQ(MakeRestOfAggregate(plan).code(), base::StatusCode::kUnimplemented);
}

TEST(ReducerMergeTest, ASampleTakesFromBothSidesAsOftenAsTheyHaveRows) {
  std::mt19937_64 random(3);
  const ReducerSpec spec = {.kind = ReducerKind::kRandomSample, .sample = 10};
  int of_second = 0;
  for (int run = 0; run < 500; ++run) {
    const auto few = Reducer::Create(spec, random);
    const auto many = Reducer::Create(spec, random);
    for (int i = 0; i < 20; ++i) few->Add(Values{Value(1.0)});
    for (int i = 0; i < 180; ++i) many->Add(Values{Value(2.0)});
    ASSERT_TRUE(few->Merge(many->State()).ok());
    const Value sample = few->Finish();
    ASSERT_EQ(sample.list()->size(), 10u);
    for (const Value& value : *sample.list()) of_second += *value.number() == 2 ? 1 : 0;
  }
  EXPECT_NEAR(of_second, 4500, 150);  // 90 % of 5000
}

TEST(ReducerMergeTest, EstimatesOfManyValuesMergeToThatOfAll) {
  std::mt19937_64 random(3);
  const ReducerSpec spec = {.kind = ReducerKind::kCountDistinctish};
  const auto all = Reducer::Create(spec, random);
  const auto merged = Reducer::Create(spec, random);
  for (int shard = 0; shard < 3; ++shard) {
    const auto part = Reducer::Create(spec, random);
    for (int i = 0; i < (shard == 1 ? 100 : 3000); ++i) {
      const Values row = {Value(static_cast<double>(shard * 2000 + i))};
      part->Add(row);
      all->Add(row);
    }
    ASSERT_TRUE(merged->Merge(part->State()).ok());
  }
  EXPECT_EQ(merged->Finish().ToText(), all->Finish().ToText());
}

TEST(ReducerMergeTest, WhatIsNoStateIsRefused) {
  std::mt19937_64 random(3);
  for (ReducerKind kind :
       {ReducerKind::kCount, ReducerKind::kCountDistinct, ReducerKind::kCountDistinctish, ReducerKind::kSum,
        ReducerKind::kQuantile, ReducerKind::kToList, ReducerKind::kFirstValue, ReducerKind::kRandomSample}) {
    const auto reducer = Reducer::Create({.kind = kind, .sample = 3}, random);
    EXPECT_EQ(reducer->Merge(Value(std::string("abc"))).code(), base::StatusCode::kDataLoss) << ReducerName(kind);
    EXPECT_EQ(reducer->Merge(Value()).code(), base::StatusCode::kDataLoss) << ReducerName(kind);
  }
}

}  // namespace
}  // namespace redoubt::search
