#include "vector/code_kernels.h"

#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
#include <immintrin.h>

namespace redoubt::vector {
namespace {

constexpr size_t kLookAhead = 8;

__m256i Load(const int8_t* at) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)); }

// The instruction multiplies unsigned by signed bytes: 128 is added to the row's and 128 times the query's sum taken
// off at the end.
int32_t Sum(__m256i v) {
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(1, 0, 3, 2)));
  return _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(2, 3, 0, 1))));
}

void Prefetch(const int8_t* row, size_t bytes) {
  for (size_t i = 0; i < bytes && i < 1024; i += 64) _mm_prefetch(reinterpret_cast<const char*>(row + i), _MM_HINT_T0);
}

void Dot(const int8_t* query, const int8_t* const* rows, size_t count, size_t bytes, int32_t* out) {
  const __m256i offset = _mm256_set1_epi8(static_cast<char>(0x80));
  __m256i shifted = _mm256_setzero_si256();
  for (size_t i = 0; i < bytes; i += 32) shifted = _mm256_dpbusd_epi32(shifted, offset, Load(query + i));
  const int32_t excess = Sum(shifted);
  for (size_t r = 0; r < count && r < kLookAhead; ++r) Prefetch(rows[r], bytes);
  for (size_t r = 0; r < count; ++r) {
    if (r + kLookAhead < count) Prefetch(rows[r + kLookAhead], bytes);
    const int8_t* row = rows[r];
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + 64 <= bytes; i += 64) {
      even = _mm256_dpbusd_epi32(even, _mm256_xor_si256(Load(row + i), offset), Load(query + i));
      odd = _mm256_dpbusd_epi32(odd, _mm256_xor_si256(Load(row + i + 32), offset), Load(query + i + 32));
    }
    if (i < bytes) even = _mm256_dpbusd_epi32(even, _mm256_xor_si256(Load(row + i), offset), Load(query + i));
    out[r] = Sum(_mm256_add_epi32(even, odd)) - excess;
  }
}

}  // namespace

const CodeKernels* VnniCodeKernels() {
  static const CodeKernels vnni = {"avx512vnni", &Dot, Avx2CodeKernels()->dot4, Avx2CodeKernels()->dot1};
  return &vnni;
}

}  // namespace redoubt::vector

#else

namespace redoubt::vector {
const CodeKernels* VnniCodeKernels() { return nullptr; }
}  // namespace redoubt::vector

#endif
