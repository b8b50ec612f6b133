#include "vector/kernels.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

namespace redoubt::vector {
namespace {

struct L2Step {
  static __m256 Add(__m256 sum, __m256 q, __m256 x) {
    __m256 difference = _mm256_sub_ps(q, x);
    return _mm256_fmadd_ps(difference, difference, sum);
  }
};

struct DotStep {
  static __m256 Add(__m256 sum, __m256 q, __m256 x) { return _mm256_fmadd_ps(q, x, sum); }
};

float Sum(__m256 v) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

// All ones in the first `rest` of eight lanes.
__m256i TailMask(size_t rest) {
  alignas(32) static const int kOnes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes + 8 - rest));
}

// Four sums per row, so that the multiply-adds do not wait for one another. Rows are read strictly in order and
// without software prefetch: both four rows side by side and explicit prefetch measured slower than what the
// processor's own prefetcher does with one stream.
template <class Step>
float OneRow(const float* query, const float* row, size_t dim) {
  __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  size_t i = 0;
  for (; i + 32 <= dim; i += 32) {
    for (size_t lane = 0; lane < 4; ++lane) {
      sum[lane] = Step::Add(sum[lane], _mm256_loadu_ps(query + i + lane * 8), _mm256_loadu_ps(row + i + lane * 8));
    }
  }
  for (; i + 8 <= dim; i += 8) sum[0] = Step::Add(sum[0], _mm256_loadu_ps(query + i), _mm256_loadu_ps(row + i));
  if (i < dim) {
    __m256i mask = TailMask(dim - i);
    sum[1] = Step::Add(sum[1], _mm256_maskload_ps(query + i, mask), _mm256_maskload_ps(row + i, mask));
  }
  return Sum(_mm256_add_ps(_mm256_add_ps(sum[0], sum[1]), _mm256_add_ps(sum[2], sum[3])));
}

template <class Step>
void Rows(const float* query, const float* rows, size_t count, size_t dim, float* out) {
  for (size_t r = 0; r < count; ++r) out[r] = OneRow<Step>(query, rows + r * dim, dim);
}

constexpr Kernels kAvx2 = {"avx2", &Rows<L2Step>, &Rows<DotStep>};

}  // namespace

const Kernels* Avx2Kernels() { return &kAvx2; }

}  // namespace redoubt::vector

#else

namespace redoubt::vector {
const Kernels* Avx2Kernels() { return nullptr; }
}  // namespace redoubt::vector

#endif
