#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace redoubt::vector {

// How near two vectors are; smaller is nearer for each of them.
//   kL2      squared Euclidean distance
//   kIp      1 - dot product
//   kCosine  1 - cosine, 0..2; a zero vector is at distance 1 from everything
enum class Metric { kL2, kIp, kCosine };

std::string_view MetricName(Metric metric);                // "L2", "IP", "COSINE"
std::optional<Metric> ParseMetric(std::string_view name);  // in either case
std::string_view InstructionSet();                         // what the kernels of this process run on, "avx2"

// Between two vectors of `dim` elements. Safe on many threads.
float Distance(Metric metric, const float* a, const float* b, size_t dim);

}  // namespace redoubt::vector
