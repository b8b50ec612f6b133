#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "search/create_parser.h"
#include "search/index.h"
#include "search/search_request.h"

// Any bytes as a query, and as options of FT.CREATE and FT.SEARCH: an answer or an error, and what is parsed also runs.
namespace redoubt::search {
namespace {

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> args;
  while (args.size() < 64) {
    size_t end = text.find(separator);
    args.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return args;
}

Index& SmallIndex() {
  static Index* index = [] {
    const std::vector<std::string_view> create = Split(
        "i SCHEMA v VECTOR FLAT 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2 t TAG n NUMERIC x TEXT INDEXMISSING INDEXEMPTY "
        "y TEXT NOSTEM SORTABLE",
        ' ');
    Index* made = Index::Create(ParseCreate(create).value(), base::DefaultMemory()).value().release();
    for (int i = 0; i < 20; ++i) {
      std::string tag = i % 2 == 0 ? "even" : "odd,prime";
      std::string number = std::to_string(i);
      std::string words = tag + " words";
      std::vector<std::optional<std::string_view>> values = {std::string_view("\0\0\0\0\0\0\x80\x3f", 8), tag, number,
                                                             "running words 복제지연", words};
      (void)made->Put("key" + number, values);
    }
    return made;
  }();
  return *index;
}

void Run(std::span<const std::string_view> args) {
  const Index& index = SmallIndex();
  base::Result<SearchPlan> plan = PlanSearch(args, index.definition());
  if (plan.ok()) (void)index.Search(*plan);
}

}  // namespace
}  // namespace redoubt::search

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt::search;  // NOLINT: the entry point's name is fixed
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // As a document too: its words replace those of the input before.
  std::vector<std::optional<std::string_view>> values = {std::nullopt, std::nullopt, std::nullopt, text, text};
  (void)SmallIndex().Put("fuzzed", values);
  const std::string_view blob("\0\0\x80\x3f\0\0\0\0", 8);
  const std::string_view whole[] = {text, "PARAMS", "4", "b", blob, "k", "3", "DIALECT", "2"};
  Run(whole);
  // Newlines divide the input into arguments.
  std::vector<std::string_view> args = Split(text, '\n');
  Run(args);
  auto definition = ParseCreate(args);
  if (!definition.ok()) return 0;
  // What was accepted survives being written and read again.
  std::vector<std::string> stored = CreateArgs(*definition);
  std::vector<std::string_view> again(stored.begin(), stored.end());
  if (CreateArgs(ParseCreate(again).value()) != stored) __builtin_trap();
  return 0;
}
