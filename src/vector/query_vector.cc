#include "vector/query_vector.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "vector/element_kernels.h"
#include "vector/kernels.h"

namespace redoubt::vector {
namespace {

constexpr size_t kChunkRows = 64;

// Kernels for `type` as a query of its own kind sees them, in one shape for all.
struct Request {
  const std::byte* query;
  const std::byte* rows;
  size_t count;
  size_t dim;
  double* out;
  bool squared_l2;
};

template <class Query, class Element, class Value>
void Run(const RowKernels<Query, Element, Value>& kernels, const Request& request) {
  Value values[kChunkRows];
  auto kernel = request.squared_l2 ? kernels.squared_l2 : kernels.dot;
  const auto* query = reinterpret_cast<const Query*>(request.query);
  const auto* rows = reinterpret_cast<const Element*>(request.rows);
  for (size_t at = 0; at < request.count; at += kChunkRows) {
    const size_t chunk = std::min(kChunkRows, request.count - at);
    kernel(query, rows + at * request.dim, chunk, request.dim, values);
    for (size_t i = 0; i < chunk; ++i) request.out[at + i] = static_cast<double>(values[i]);
  }
}

void Run(ElementType type, const Request& request) {
  const ElementKernels& kernels = BestElementKernels();
  switch (type) {
    case ElementType::kFloat32:
      return Run(RowKernels<float, float, float>{BestKernels().squared_l2, BestKernels().dot}, request);
    case ElementType::kFloat64:
      return Run(kernels.float64, request);
    case ElementType::kFloat16:
      return Run(kernels.float16, request);
    case ElementType::kBFloat16:
      return Run(kernels.bfloat16, request);
    case ElementType::kInt8:
      return Run(kernels.int8, request);
    case ElementType::kUInt8:
      return Run(kernels.uint8, request);
  }
}

bool IsHalf(ElementType type) { return type == ElementType::kFloat16 || type == ElementType::kBFloat16; }

// As kernels want a query of `type`.
std::vector<std::byte> QueryElements(ElementType type, std::string_view blob) {
  if (!IsHalf(type)) {
    const auto* begin = reinterpret_cast<const std::byte*>(blob.data());
    return {begin, begin + blob.size()};
  }
  const size_t dim = blob.size() / ElementBytes(type);
  std::vector<std::byte> floats(dim * sizeof(float));
  (void)DecodeElements(type, blob, {reinterpret_cast<float*>(floats.data()), dim});  // inf and NaN find nothing
  return floats;
}

}  // namespace

double InverseNorm(ElementType type, const std::byte* row, size_t dim) {
  std::vector<std::byte> floats;
  if (IsHalf(type)) floats = QueryElements(type, {reinterpret_cast<const char*>(row), dim * ElementBytes(type)});
  double squares;
  Run(type, {IsHalf(type) ? floats.data() : row, row, 1, dim, &squares, false});
  return squares > 0 ? 1 / std::sqrt(squares) : 0;
}

QueryVector::QueryVector(ElementType type, Metric metric, std::string_view blob)
    : type_(type), metric_(metric), dim_(blob.size() / ElementBytes(type)), elements_(QueryElements(type, blob)) {
  if (metric != Metric::kCosine) return;
  const std::vector<std::byte> aligned(reinterpret_cast<const std::byte*>(blob.data()),
                                       reinterpret_cast<const std::byte*>(blob.data()) + blob.size());
  inverse_norm_ = InverseNorm(type, aligned.data(), dim_);
}

void QueryVector::Measure(const std::byte* rows, const double* inverse_norms, size_t count, double* out) const {
  Run(type_, {elements_.data(), rows, count, dim_, out, metric_ == Metric::kL2});
  if (metric_ == Metric::kL2) return;
  for (size_t i = 0; i < count; ++i) {
    const double inverse = inverse_norms == nullptr ? inverse_norm_ : inverse_norm_ * inverse_norms[i];
    out[i] = 1 - out[i] * inverse;
  }
}

double QueryVector::DistanceTo(std::string_view blob) const {
  CHECK(blob.size() == dim_ * ElementBytes(type_));
  const auto* begin = reinterpret_cast<const std::byte*>(blob.data());
  const std::vector<std::byte> aligned(begin, begin + blob.size());
  const double norm = metric_ == Metric::kCosine ? InverseNorm(type_, aligned.data(), dim_) : 1;
  double distance;
  Measure(aligned.data(), &norm, 1, &distance);
  return distance;
}

}  // namespace redoubt::vector
