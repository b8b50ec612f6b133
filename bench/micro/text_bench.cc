// How long do cutting a text into terms, indexing it and searching take?
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "text/bm25_index.h"
#include "text/tokenizer.h"

namespace redoubt::text {
namespace {

const char* const kSentences[] = {
    "Writes are refused with OOM command not allowed when used memory > 'maxmemory'.",
    "복제본이 마스터보다 뒤처져 있고 오프셋 차이가 점점 벌어지고 있습니다.",
    "Asynchronous AOF fsync is taking too long (disk is busy?).",
    "연결이 너무 많아 새 클라이언트가 거부되고 rejected_connections가 증가합니다.",
};

void Tokenizing(benchmark::State& state) {
  size_t bytes = 0, next = 0;
  for (auto _ : state) {
    const std::string_view text = kSentences[next++ % std::size(kSentences)];
    benchmark::DoNotOptimize(Tokenize(text));
    bytes += text.size();
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}
BENCHMARK(Tokenizing);

// Documents of 50 words out of 20,000, the frequent ones often, as in natural text.
class Corpus {
 public:
  std::string Document() {
    std::string text;
    for (int i = 0; i < 50; ++i) text += NextWord() + " ";
    return text;
  }
  std::string NextWord() {
    const int rank = static_cast<int>(20'000.0 / (1.0 + 20'000.0 * uniform_(random_)));
    return std::to_string(rank).insert(0, 1, 'w');
  }

 private:
  std::mt19937 random_{1};
  std::uniform_real_distribution<double> uniform_{0.0, 1.0};
};

void Indexing(benchmark::State& state) {
  Corpus corpus;
  std::vector<std::string> documents;
  for (int i = 0; i < 1000; ++i) documents.push_back(corpus.Document());
  for (auto _ : state) {
    Bm25Index index;
    for (uint32_t i = 0; i < documents.size(); ++i) index.Add(i, documents[i]);
    benchmark::DoNotOptimize(index.size());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(documents.size()));
}
BENCHMARK(Indexing)->Unit(benchmark::kMillisecond);

void Searching(benchmark::State& state) {
  Corpus corpus;
  Bm25Index index;
  for (uint32_t i = 0; i < state.range(0); ++i) index.Add(i, corpus.Document());
  for (auto _ : state) {
    const std::string query = corpus.NextWord() + " " + corpus.NextWord();
    benchmark::DoNotOptimize(index.Search(query, 10));
  }
}
BENCHMARK(Searching)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace redoubt::text
