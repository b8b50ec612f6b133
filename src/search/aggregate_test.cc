#include "search/aggregate.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <map>

#include "search/aggregate_request.h"
#include "search/create_parser.h"

namespace redoubt::search {
namespace {

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t end = text.find('~'); end != std::string_view::npos; end = text.find('~')) {
    words.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  words.push_back(text);
  return words;
}

// Twelve documents: n = 0.5 .. 11.5, gs (sortable tag) = Gs0 .. Gs2, g (tag) = G0 or G1; a hash keeps what is not in
// the index. One more, "e", has nothing.
class AggregateTest : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::string_view> create = {"i", "SCHEMA", "n", "NUMERIC", "gs", "TAG", "SORTABLE", "g", "TAG"};
    index_ = Index::Create(ParseCreate(create).value(), base::DefaultMemory()).value();
    for (int i = 0; i < 12; ++i) {
      std::map<std::string, std::string>& hash = hashes_[fmt::format("d{}", i)];
      hash = {{"n", fmt::format("{}.50", i)},
              {"gs", fmt::format("Gs{}", i % 3)},
              {"g", fmt::format("G{}", i % 2)},
              {"o", fmt::format("o{}", i)}};
      std::vector<std::optional<std::string_view>> values = {hash["n"], hash["gs"], hash["g"]};
      ASSERT_TRUE(index_->Put(fmt::format("d{}", i), values).ok());
    }
    std::vector<std::optional<std::string_view>> nothing(3);
    hashes_["e"] = {};
    ASSERT_TRUE(index_->Put("e", nothing).ok());
  }

  // What the module does between the steps.
  void Load(AggregateRun& run) {
    for (AggregateRow& row : run.rows()) {
      ++loaded_rows_;
      const auto& hash = hashes_[row.key];
      for (const LoadStep::Source& source : run.load().fields) {
        if (auto found = hash.find(source.path); found != hash.end()) row.values[source.column] = Value(found->second);
      }
      if (run.load().everything) row.extra.assign(hash.begin(), hash.end());
    }
  }

  std::string Shown(const AggregateRun& run, const AggregateRow& row) {
    std::string text;
    for (size_t i = 0; i < row.values.size(); ++i) {
      if (row.values[i].missing()) continue;
      if (!text.empty()) text += ' ';
      text += run.names()[i] + "=" + (row.values[i].null() ? "null" : row.values[i].ToText());
    }
    for (const auto& [name, value] : row.extra) text += " +" + name + "=" + value;
    return text;
  }

  std::vector<std::string> Rows(std::string_view request) {
    std::vector<std::string_view> words = Split(request);
    Result<AggregatePlan> plan = PlanAggregate(words, index_->definition());
    if (!plan.ok()) return {"error: " + plan.status().message()};
    AggregateRun run(*plan, 1);
    run.TakeDocuments(index_->Search(plan->search));
    while (true) {
      Result<AggregateRun::State> state = run.Advance(nullptr);
      if (!state.ok()) return {"error: " + state.status().message()};
      if (*state == AggregateRun::State::kDone) break;
      Load(run);
    }
    total_ = run.total();
    std::vector<std::string> rows;
    for (const AggregateRow& row : run.rows()) rows.push_back(Shown(run, row));
    return rows;
  }

  std::string Error(std::string_view request) {
    std::vector<std::string> rows = Rows(request);
    return rows.size() == 1 ? rows[0] : fmt::format("{} rows", rows.size());
  }

  using Texts = std::vector<std::string>;
  std::unique_ptr<Index> index_;
  std::map<std::string, std::map<std::string, std::string>> hashes_;
  size_t loaded_rows_ = 0;
  size_t total_ = 0;
};

TEST_F(AggregateTest, GroupsAreReduced) {
  EXPECT_EQ(Rows("*~GROUPBY~1~@gs~REDUCE~COUNT~0~AS~c~REDUCE~SUM~1~@n~SORTBY~2~@gs~DESC"),
            (Texts{"gs=gs2 c=4 __generated_aliassumn=28", "gs=gs1 c=4 __generated_aliassumn=24",
                   "gs=gs0 c=4 __generated_aliassumn=20", "gs=null c=1 __generated_aliassumn=0"}));
  EXPECT_EQ(Rows("*~GROUPBY~1~@gs~REDUCE~COUNT~0~AS~c~GROUPBY~1~@c~REDUCE~COUNT~0~AS~d~SORTBY~2~@c~DESC"),
            (Texts{"c=4 d=3", "c=1 d=1"}));
  EXPECT_EQ(Rows("@n:[100 200]~GROUPBY~0~REDUCE~AVG~1~@n"), Texts());
  EXPECT_EQ(loaded_rows_, 0U);  // all of it was in the index
}

TEST_F(AggregateTest, AFieldThatTheIndexDoesNotKeepIsLoadedWhereItIsUsed) {
  EXPECT_EQ(Rows("*~SORTBY~2~@n~DESC~MAX~2~APPLY~lower(@g)~AS~low"),
            (Texts{"n=11.5 g=G1 low=g1", "n=10.5 g=G0 low=g0"}));
  EXPECT_EQ(loaded_rows_, 2U);
}

TEST_F(AggregateTest, LoadTakesAnyFieldUnderAnyName) {
  EXPECT_EQ(Rows("*~LOAD~5~@o~@n~AS~num~@__key~LIMIT~0~1"), (Texts{"o=o0 num=0.5 __key=d0"}));
  EXPECT_EQ(loaded_rows_, 1U);  // no more documents than LIMIT shows
  EXPECT_EQ(Rows("*~LOAD~1~gs~LIMIT~0~1"), (Texts{"gs=Gs0"}));
  EXPECT_EQ(Rows("*~LOAD~*~APPLY~upper(@o)~AS~O~LIMIT~0~1"), (Texts{"o=o0 O=O0 +g=G0 +gs=Gs0 +n=0.50 +o=o0"}));
  EXPECT_EQ(Rows("*~LOAD~1~absent~GROUPBY~1~@absent~REDUCE~COUNT~0~AS~c"), (Texts{"absent=null c=13"}));
}

TEST_F(AggregateTest, WhatIsSortedIsCutToTen) {
  EXPECT_EQ(Rows("*~SORTBY~1~@n").size(), 10U);
  EXPECT_EQ(total_, 13U);
  EXPECT_EQ(Rows("*~SORTBY~1~@n~MAX~12").size(), 12U);
  EXPECT_EQ(Rows("*~SORTBY~1~@n~LIMIT~2~1"), (Texts{"n=2.5"}));
  EXPECT_EQ(Rows("*~LIMIT~2~1~SORTBY~1~@n"), (Texts{"n=2.5"}));
  EXPECT_EQ(Rows("*~SORTBY~2~@n~DESC~LIMIT~0~20").back(), "");  // without a number: last
  EXPECT_EQ(Rows("*~LIMIT~0~3~GROUPBY~0~REDUCE~COUNT~0~AS~c"), (Texts{"c=3"}));
}

TEST_F(AggregateTest, FiltersDropRowsAndApplyFails) {
  EXPECT_EQ(Rows("*~FILTER~@n > 9"), (Texts{"n=9.5", "n=10.5", "n=11.5"}));
  EXPECT_EQ(Rows("*~FILTER~!exists(@n)"), (Texts{""}));
  EXPECT_EQ(Rows("@n:[0 2]~APPLY~@n * $f~AS~n~PARAMS~2~f~10~DIALECT~2"), (Texts{"n=5", "n=15"}));
  EXPECT_EQ(Error("*~APPLY~@n + 1~AS~m"), "error: n: has no value, consider using EXISTS if applicable");
}

TEST_F(AggregateTest, AListMakesARowOfEveryGroupItsElementsName) {
  EXPECT_EQ(Rows("*~APPLY~split('a,b')~AS~x~GROUPBY~1~@x~REDUCE~COUNT~0~AS~c"), (Texts{"x=a c=13", "x=b c=13"}));
}

TEST_F(AggregateTest, ErrorsAreThoseThatClientsKnow) {
  EXPECT_EQ(Error("*~SORTBY~1~@zz"), "error: Property `zz` not loaded nor in schema");
  EXPECT_EQ(Error("*~APPLY~@zz~AS~a"), "error: Property `zz` not loaded nor in pipeline");
  EXPECT_EQ(Error("*~GROUPBY~1~@zz"), "error: No such property `zz`");
  EXPECT_EQ(Error("*~GROUPBY~1~gs"), "error: Bad arguments for GROUPBY: Unknown property `gs`. Did you mean `@gs`?");
  EXPECT_EQ(Error("*~GROUPBY~1~@gs~REDUCE~NOPE~0"), "error: No such reducer: NOPE");
  EXPECT_EQ(Error("*~GROUPBY~1~@gs~REDUCE~COUNT~1~@n"), "error: Count accepts 0 values only");
  EXPECT_EQ(Error("*~GROUPBY~1~@gs~REDUCE~SUM~0"), "error: Missing arguments for SUM");
  EXPECT_EQ(Error("*~GROUPBY~1~@gs~REDUCE~SUM~1~@q"), "error: Property `q` not present in document or pipeline");
  EXPECT_EQ(Error("*~GROUPBY~1~@gs~REDUCE~QUANTILE~2~@n~2"), "error: Percentage must be between 0.0 and 1.0");
  EXPECT_EQ(Error("*~GROUPBY~1~@gs~REDUCE~RANDOM_SAMPLE~2~@n~5000"), "error: Sample size too large");
  EXPECT_EQ(Error("*~GROUPBY~1~@gs~REDUCE~COUNT~0~AS~gs"), "error: Property `gs` specified more than once");
  EXPECT_EQ(Error("*~GROUPBY~1~@gs~LOAD~1~@n"), "error: LOAD cannot be applied after projectors or reducers");
  EXPECT_EQ(Error("*~GROUPBY~1~@gs~APPLY~@n~AS~x"), "error: Property `n` not loaded nor in pipeline");
  EXPECT_EQ(Error("*~APPLY~1~AS"), "error: AS needs argument");
  EXPECT_EQ(Error("*~SORTBY~2~@n~FOO"), "error: MISSING ASC or DESC after sort field (FOO)");
  EXPECT_EQ(Error("*~LIMIT~0"), "error: LIMIT requires two arguments");
  EXPECT_EQ(Error("*~LIMIT~-1~3"), "error: LIMIT needs two numeric arguments");
  EXPECT_EQ(Error("*~FOO"), "error: Unknown argument `FOO` at position 1 for <main>");
  EXPECT_EQ(Error("*~RETURN~1~n"), "error: RETURN is not supported on FT.AGGREGATE");
  EXPECT_EQ(Error("*~WITHCURSOR~COUNT~0"), "error: Bad arguments for COUNT: Value is outside acceptable bounds");
}

TEST_F(AggregateTest, TimeThatIsOverEndsTheRunWithWhatThereIs) {
  AggregatePlan plan = PlanAggregate(Split("*~FILTER~@n > 0"), index_->definition()).value();
  AggregateRun run(plan, 1);
  run.TakeDocuments(index_->Search(plan.search));
  EXPECT_EQ(run.Advance([] { return true; }).value(), AggregateRun::State::kDone);
  EXPECT_TRUE(run.timed_out());
  EXPECT_TRUE(run.rows().empty());
}

}  // namespace
}  // namespace redoubt::search
