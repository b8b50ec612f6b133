#include "vector/kernels.h"

#if defined(__AVX512F__)
#include <immintrin.h>

namespace redoubt::vector {
namespace {

struct L2Step {
  static __m512 Add(__m512 sum, __m512 q, __m512 x) {
    __m512 difference = _mm512_sub_ps(q, x);
    return _mm512_fmadd_ps(difference, difference, sum);
  }
};

struct DotStep {
  static __m512 Add(__m512 sum, __m512 q, __m512 x) { return _mm512_fmadd_ps(q, x, sum); }
};

template <class Step>
float OneRow(const float* query, const float* row, size_t dim) {
  __m512 sum = _mm512_setzero_ps();
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) sum = Step::Add(sum, _mm512_loadu_ps(query + i), _mm512_loadu_ps(row + i));
  if (i < dim) {
    __mmask16 mask = static_cast<__mmask16>((1u << (dim - i)) - 1);
    sum = Step::Add(sum, _mm512_maskz_loadu_ps(mask, query + i), _mm512_maskz_loadu_ps(mask, row + i));
  }
  return _mm512_reduce_add_ps(sum);
}

template <class Step>
void FourRows(const float* query, const float* rows, size_t dim, float* out) {
  const float* row[4] = {rows, rows + dim, rows + 2 * dim, rows + 3 * dim};
  __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    __m512 q = _mm512_loadu_ps(query + i);
    for (int r = 0; r < 4; ++r) {
      _mm_prefetch(reinterpret_cast<const char*>(row[r] + 8 * dim + i), _MM_HINT_T0);
      sum[r] = Step::Add(sum[r], q, _mm512_loadu_ps(row[r] + i));
    }
  }
  if (i < dim) {
    __mmask16 mask = static_cast<__mmask16>((1u << (dim - i)) - 1);
    __m512 q = _mm512_maskz_loadu_ps(mask, query + i);
    for (int r = 0; r < 4; ++r) sum[r] = Step::Add(sum[r], q, _mm512_maskz_loadu_ps(mask, row[r] + i));
  }
  for (int r = 0; r < 4; ++r) out[r] = _mm512_reduce_add_ps(sum[r]);
}

template <class Step>
void Rows(const float* query, const float* rows, size_t count, size_t dim, float* out) {
  size_t r = 0;
  for (; r + 4 <= count; r += 4) FourRows<Step>(query, rows + r * dim, dim, out + r);
  for (; r < count; ++r) out[r] = OneRow<Step>(query, rows + r * dim, dim);
}

constexpr Kernels kAvx512 = {"avx512", &Rows<L2Step>, &Rows<DotStep>};

}  // namespace

const Kernels* Avx512Kernels() { return &kAvx512; }

}  // namespace redoubt::vector

#else

namespace redoubt::vector {
const Kernels* Avx512Kernels() { return nullptr; }
}  // namespace redoubt::vector

#endif
