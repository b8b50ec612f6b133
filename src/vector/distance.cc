#include "vector/distance.h"

#include <cmath>

#include "vector/kernels.h"
#include "vector/same_name.h"

namespace redoubt::vector {
namespace {

const Kernels* Choose() {
#if defined(__x86_64__)
  if (Avx512Kernels() != nullptr && __builtin_cpu_supports("avx512f")) return Avx512Kernels();
  if (Avx2Kernels() != nullptr && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return Avx2Kernels();
  }
#endif
  return &ScalarKernels();
}

float Dot(const float* a, const float* b, size_t dim) {
  float value;
  BestKernels().dot(a, b, 1, dim, &value);
  return value;
}

}  // namespace

const Kernels& BestKernels() {
  static const Kernels* best = Choose();
  return *best;
}

std::string_view InstructionSet() { return BestKernels().name; }

std::string_view MetricName(Metric metric) {
  switch (metric) {
    case Metric::kL2:
      return "L2";
    case Metric::kIp:
      return "IP";
    case Metric::kCosine:
      return "COSINE";
  }
  return "L2";
}

std::optional<Metric> ParseMetric(std::string_view name) {
  for (Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    if (SameName(name, MetricName(metric))) return metric;
  }
  return std::nullopt;
}

float Distance(Metric metric, const float* a, const float* b, size_t dim) {
  if (metric == Metric::kL2) {
    float value;
    BestKernels().squared_l2(a, b, 1, dim, &value);
    return value;
  }
  float dot = Dot(a, b, dim);
  if (metric == Metric::kIp) return 1 - dot;
  float norms = std::sqrt(Dot(a, a, dim)) * std::sqrt(Dot(b, b, dim));
  return norms > 0 ? 1 - dot / norms : 1;
}

}  // namespace redoubt::vector
