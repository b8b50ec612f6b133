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

// One row after another with two sums, as in kernels_avx2.cc.
template <class Step>
float OneRow(const float* query, const float* row, size_t dim) {
  __m512 sum[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  size_t i = 0;
  for (; i + 32 <= dim; i += 32) {
    sum[0] = Step::Add(sum[0], _mm512_loadu_ps(query + i), _mm512_loadu_ps(row + i));
    sum[1] = Step::Add(sum[1], _mm512_loadu_ps(query + i + 16), _mm512_loadu_ps(row + i + 16));
  }
  for (; i + 16 <= dim; i += 16) sum[0] = Step::Add(sum[0], _mm512_loadu_ps(query + i), _mm512_loadu_ps(row + i));
  if (i < dim) {
    __mmask16 mask = static_cast<__mmask16>((1u << (dim - i)) - 1);
    sum[1] = Step::Add(sum[1], _mm512_maskz_loadu_ps(mask, query + i), _mm512_maskz_loadu_ps(mask, row + i));
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(sum[0], sum[1]));
}

template <class Step>
void Rows(const float* query, const float* rows, size_t count, size_t dim, float* out) {
  for (size_t r = 0; r < count; ++r) out[r] = OneRow<Step>(query, rows + r * dim, dim);
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
