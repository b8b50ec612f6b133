#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "search/aggregate.h"
#include "search/aggregate_request.h"
#include "search/create_parser.h"

// Any bytes as an expression, and as the words of an FT.AGGREGATE: an answer or an error, and what is planned also
// runs.
namespace redoubt::search {
namespace {

const Index& SmallIndex() {
  static const Index* index = [] {
    std::vector<std::string_view> create = {"i", "SCHEMA", "t", "TAG", "SORTABLE", "n", "NUMERIC"};
    Index* made = Index::Create(ParseCreate(create).value(), base::DefaultMemory()).value().release();
    for (int i = 0; i < 20; ++i) {
      std::string number = std::to_string(i);
      std::vector<std::optional<std::string_view>> values = {i % 2 == 0 ? "even" : "odd,prime", number};
      (void)made->Put("key" + number, values);
    }
    return made;
  }();
  return *index;
}

// Newlines divide the input into arguments.
std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> args;
  while (args.size() < 64) {
    size_t end = text.find('\n');
    args.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return args;
}

void Run(std::span<const std::string_view> args) {
  const Index& index = SmallIndex();
  Result<AggregatePlan> plan = PlanAggregate(args, index.definition());
  if (!plan.ok()) return;
  AggregateRun run(*plan, 1);
  run.TakeDocuments(index.Search(plan->search));
  while (true) {
    Result<AggregateRun::State> state = run.Advance(nullptr);
    if (!state.ok() || *state == AggregateRun::State::kDone) return;
    for (AggregateRow& row : run.rows()) {
      for (const LoadStep::Source& source : run.load().fields) row.values[source.column] = Value(source.path);
    }
  }
}

}  // namespace
}  // namespace redoubt::search

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt::search;  // NOLINT: the entry point's name is fixed
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view apply[] = {"*", "APPLY", text, "AS", "a", "PARAMS", "2", "p", "x", "DIALECT", "2"};
  Run(apply);
  Run(Split(text));
  return 0;
}
