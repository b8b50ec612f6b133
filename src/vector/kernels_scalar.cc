#include "vector/kernels.h"

namespace redoubt::vector {
namespace {

// Four sums, so that the additions do not wait for one another.
void SquaredL2(const float* query, const float* rows, size_t count, size_t dim, float* out) {
  for (size_t r = 0; r < count; ++r, rows += dim) {
    float sum[4] = {};
    size_t i = 0;
    for (; i + 4 <= dim; i += 4) {
      for (size_t lane = 0; lane < 4; ++lane) {
        float difference = query[i + lane] - rows[i + lane];
        sum[lane] += difference * difference;
      }
    }
    for (; i < dim; ++i) sum[0] += (query[i] - rows[i]) * (query[i] - rows[i]);
    out[r] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
}

void Dot(const float* query, const float* rows, size_t count, size_t dim, float* out) {
  for (size_t r = 0; r < count; ++r, rows += dim) {
    float sum[4] = {};
    size_t i = 0;
    for (; i + 4 <= dim; i += 4) {
      for (size_t lane = 0; lane < 4; ++lane) sum[lane] += query[i + lane] * rows[i + lane];
    }
    for (; i < dim; ++i) sum[0] += query[i] * rows[i];
    out[r] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
}

constexpr Kernels kScalar = {"scalar", &SquaredL2, &Dot};

}  // namespace

const Kernels& ScalarKernels() { return kScalar; }

}  // namespace redoubt::vector
