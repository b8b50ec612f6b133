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

template <class Step>
float OneRow(const float* query, const float* row, size_t dim) {
  __m256 a = _mm256_setzero_ps();
  __m256 b = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    a = Step::Add(a, _mm256_loadu_ps(query + i), _mm256_loadu_ps(row + i));
    b = Step::Add(b, _mm256_loadu_ps(query + i + 8), _mm256_loadu_ps(row + i + 8));
  }
  for (; i + 8 <= dim; i += 8) a = Step::Add(a, _mm256_loadu_ps(query + i), _mm256_loadu_ps(row + i));
  if (i < dim) {
    __m256i mask = TailMask(dim - i);
    b = Step::Add(b, _mm256_maskload_ps(query + i, mask), _mm256_maskload_ps(row + i, mask));
  }
  return Sum(_mm256_add_ps(a, b));
}

// Four rows side by side: the query is loaded once for the four, and four cache misses are under way at a time.
template <class Step>
void FourRows(const float* query, const float* rows, size_t dim, float* out) {
  const float* row[4] = {rows, rows + dim, rows + 2 * dim, rows + 3 * dim};
  __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  size_t i = 0;
  for (; i + 8 <= dim; i += 8) {
    __m256 q = _mm256_loadu_ps(query + i);
    for (int r = 0; r < 4; ++r) {
      // Eight rows ahead, a line at a time: a block's rows are visited in order.
      if (i % 16 == 0) _mm_prefetch(reinterpret_cast<const char*>(row[r] + 8 * dim + i), _MM_HINT_T0);
      sum[r] = Step::Add(sum[r], q, _mm256_loadu_ps(row[r] + i));
    }
  }
  if (i < dim) {
    __m256i mask = TailMask(dim - i);
    __m256 q = _mm256_maskload_ps(query + i, mask);
    for (int r = 0; r < 4; ++r) sum[r] = Step::Add(sum[r], q, _mm256_maskload_ps(row[r] + i, mask));
  }
  for (int r = 0; r < 4; ++r) out[r] = Sum(sum[r]);
}

template <class Step>
void Rows(const float* query, const float* rows, size_t count, size_t dim, float* out) {
  size_t r = 0;
  for (; r + 4 <= count; r += 4) FourRows<Step>(query, rows + r * dim, dim, out + r);
  for (; r < count; ++r) out[r] = OneRow<Step>(query, rows + r * dim, dim);
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
