// What do building and searching a graph cost? 100,000 vectors of 128 in 1,000 clusters, k 10, as bench/flow does.
//   redoubt_hnsw_bench [vectors] [clusters] [spread] [int8|none|int4|binary] [dim] [oversample]
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string_view>
#include <vector>

#include "vector/code_kernels.h"
#include "vector/flat_index.h"
#include "vector/hnsw_index.h"

namespace redoubt::vector {
namespace {

constexpr size_t kQueries = 300;
constexpr size_t kK = 10;

double CpuMicroseconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

struct Data {
  Data(size_t count, size_t clusters, float spread, size_t dim, size_t oversample)
      : dim(dim), oversample(oversample), vectors(count * dim), queries(kQueries * dim) {
    std::mt19937 random(42);
    std::normal_distribution<float> normal;
    std::vector<float> centres(clusters * dim);
    for (float& x : centres) x = normal(random);
    auto fill = [&](std::vector<float>& out) {
      for (size_t row = 0; row < out.size() / dim; ++row) {
        const size_t cluster = random() % clusters;
        for (size_t i = 0; i < dim; ++i) out[row * dim + i] = centres[cluster * dim + i] + spread * normal(random);
      }
    };
    fill(vectors);
    fill(queries);
  }
  std::span<const float> Vector(size_t i) const { return {vectors.data() + i * dim, dim}; }
  std::span<const float> Query(size_t i) const { return {queries.data() + i * dim, dim}; }

  size_t dim;
  size_t oversample;
  std::vector<float> vectors;
  std::vector<float> queries;
};

using Answers = std::vector<std::vector<Hit>>;

Answers Exact(const FlatIndex& flat, const Data& data, const IdSet* filter) {
  Answers answers;
  for (size_t q = 0; q < kQueries; ++q) answers.push_back(flat.Search(BlobView(data.Query(q)), kK, filter));
  return answers;
}

struct Cost {
  double recall = 0;
  double cpu_us = 0;
  double measured = 0;
  HnswPlan plan = HnswPlan::kWalk;
};

Cost Measure(const HnswIndex& index, const Data& data, const Answers& exact, size_t ef, const IdSet* filter,
             std::optional<HnswPlan> plan = {}) {
  Cost cost;
  size_t right = 0, wanted = 0;
  Answers answers(kQueries);
  const double start = CpuMicroseconds();
  for (size_t q = 0; q < kQueries; ++q) {
    HnswResult result = index.Search({data.Query(q), kK, ef, filter, nullptr, plan, kNoId, data.oversample});
    answers[q] = Rerank(Metric::kL2, data.Query(q), result.hits, kK, [&](Id id) { return data.Vector(id).data(); });
    cost.measured += static_cast<double>(result.measured) / kQueries;
    cost.plan = result.plan;
  }
  cost.cpu_us = (CpuMicroseconds() - start) / kQueries;
  for (size_t q = 0; q < kQueries; ++q) {
    for (const Hit& want : exact[q]) {
      right += std::any_of(answers[q].begin(), answers[q].end(), [&](const Hit& hit) { return hit.id == want.id; });
    }
    wanted += exact[q].size();
  }
  cost.recall = static_cast<double>(right) / static_cast<double>(wanted);
  return cost;
}

const char* Name(HnswPlan plan) {
  switch (plan) {
    case HnswPlan::kWalk:
      return "walk";
    case HnswPlan::kFilteredWalk:
      return "filtered walk";
    case HnswPlan::kTwoHopWalk:
      return "two-hop walk";
    case HnswPlan::kScan:
      return "scan";
  }
  return "";
}

void Print(std::string_view what, size_t ef, const Cost& cost) {
  fmt::print("{:<22} ef {:>4}  recall@10 {:.4f}  CPU {:7.1f} us/query  {:7.0f} distances  {}\n", what, ef, cost.recall,
             cost.cpu_us, cost.measured, Name(cost.plan));
}

void Run(const Data& data, Storage storage) {
  const size_t count = data.vectors.size() / data.dim;
  HnswOptions options;
  options.dim = data.dim;
  options.storage = storage;
  std::unique_ptr<HnswIndex> index = *HnswIndex::Create(options);
  const double start = CpuMicroseconds();
  for (size_t i = 0; i < count; ++i) CHECK(index->Add(static_cast<Id>(i), data.Vector(i)).ok());
  fmt::print("{} vectors of {}, M {}, ef_construction {}, {}: build CPU {:.1f} us/vector, {} bytes/vector\n", count,
             data.dim, options.m, options.ef_construction, BestCodeKernels().name,
             (CpuMicroseconds() - start) / static_cast<double>(count), index->memory_bytes() / count);

  std::unique_ptr<FlatIndex> flat = *FlatIndex::Create({data.dim, Metric::kL2});
  for (size_t i = 0; i < count; ++i) CHECK(flat->Add(static_cast<Id>(i), BlobView(data.Vector(i))).ok());
  const Answers exact = Exact(*flat, data, nullptr);
  size_t enough = 0;
  for (size_t ef : {10, 12, 14, 20, 30, 50, 100, 200, 400, 800}) {
    Measure(*index, data, exact, ef, nullptr);  // as in a server that is in use: once to warm the caches
    const Cost cost = Measure(*index, data, exact, ef, nullptr);
    Print("no filter", ef, cost);
    if (cost.recall >= 0.95 && enough++ == 1) break;
  }
  if (std::getenv("NOFILTER") != nullptr) return;
  for (double share : {0.001, 0.01, 0.03, 0.1, 0.3, 0.5}) {
    IdSet filter(count);
    std::mt19937 random(1);
    for (Id id = 0; id < count; ++id) {
      if (static_cast<double>(random()) < share * 0x1p32) filter.Insert(id);
    }
    const Answers matching = Exact(*flat, data, &filter);
    const std::string what = fmt::format("{:.1f} % match", share * 100);
    Print(what, 20, Measure(*index, data, matching, 20, &filter));
    for (HnswPlan plan : {HnswPlan::kFilteredWalk, HnswPlan::kTwoHopWalk, HnswPlan::kScan}) {
      Print("  if it were", 20, Measure(*index, data, matching, 20, &filter, plan));
    }
  }
}

}  // namespace
}  // namespace redoubt::vector

int main(int argc, char** argv) {
  using namespace redoubt::vector;
  auto number = [&](int i, double otherwise) { return argc > i ? std::atof(argv[i]) : otherwise; };
  const Data data(static_cast<size_t>(number(1, 100'000)), static_cast<size_t>(number(2, 1000)),
                  static_cast<float>(number(3, 0.6)), static_cast<size_t>(number(5, 128)),
                  static_cast<size_t>(number(6, 10)));
  Run(data, ParseStorage(argc > 4 ? argv[4] : "").value_or(Storage::kInt8));
}
