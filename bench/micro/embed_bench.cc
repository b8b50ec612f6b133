// How long does one text take to become a vector, by its length, and how much memory does the model hold?
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "embed/embedder.h"
#include "infer/backend_registry.h"

namespace redoubt::embed {
namespace {

double ResidentMib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atof(line.c_str() + 6) / 1024;
  }
  return 0;
}

struct Loaded {
  double resident_before_mib = ResidentMib();
  std::unique_ptr<Embedder> embedder;
  double resident_after_mib = 0;
};

const Loaded& Model() {
  static const Loaded* const loaded = [] {
    auto* result = new Loaded;
    infer::BackendRegistry::Options options;
    options.directory = REDOUBT_BENCH_BACKENDS;
    options.threads = 1;
    auto embedder =
        Embedder::Load(*new infer::BackendRegistry(options), {.model_dir = REDOUBT_BENCH_MODEL, .max_tokens = 0});
    if (!embedder.ok()) {
      std::fprintf(stderr, "%s\n", embedder.status().ToString().c_str());
      std::exit(1);
    }
    result->embedder = std::move(embedder).value();
    result->resident_after_mib = ResidentMib();
    return result;
  }();
  return *loaded;
}

void Embedding(benchmark::State& state) {
  const Loaded& model = Model();
  std::string text;
  for (int64_t i = 0; i < state.range(0); ++i) text += i % 2 ? "메모리 " : "memory ";
  for (auto _ : state) benchmark::DoNotOptimize(model.embedder->Embed(text));
  state.counters["model_MiB"] = model.resident_after_mib - model.resident_before_mib;
}
BENCHMARK(Embedding)->ArgName("words")->Arg(4)->Arg(12)->Arg(60)->Arg(200)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace redoubt::embed
