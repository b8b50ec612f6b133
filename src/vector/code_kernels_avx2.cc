#include "vector/code_kernels.h"

#if defined(__AVX2__)
#include <immintrin.h>

namespace redoubt::vector {
namespace {

constexpr size_t kRowsTogether = 4;
constexpr size_t kLookAhead = 4;

__m256i Load(const int8_t* at) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)); }

// |q| * (x with the sign of q), in pairs of 16 bits: 2 * 127 * 127 fits.
__m256i Add(__m256i sum, __m256i magnitude, __m256i query, __m256i row) {
  __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(row, query));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

void Prefetch(const int8_t* row, size_t bytes) {
  for (size_t i = 0; i < bytes && i < 1024; i += 64) _mm_prefetch(reinterpret_cast<const char*>(row + i), _MM_HINT_T0);
}

// The loads of the query and the final additions are shared by four rows.
void FourRows(const int8_t* query, const int8_t* const* rows, size_t bytes, int32_t* out) {
  __m256i sum0 = _mm256_setzero_si256();
  __m256i sum1 = sum0;
  __m256i sum2 = sum0;
  __m256i sum3 = sum0;
  for (size_t i = 0; i < bytes; i += 32) {
    __m256i q = Load(query + i);
    __m256i magnitude = _mm256_abs_epi8(q);
    sum0 = Add(sum0, magnitude, q, Load(rows[0] + i));
    sum1 = Add(sum1, magnitude, q, Load(rows[1] + i));
    sum2 = Add(sum2, magnitude, q, Load(rows[2] + i));
    sum3 = Add(sum3, magnitude, q, Load(rows[3] + i));
  }
  __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(sum0, sum1), _mm256_hadd_epi32(sum2, sum3));
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), four);
}

int32_t OneRow(const int8_t* query, const int8_t* row, size_t bytes) {
  __m256i sum = _mm256_setzero_si256();
  for (size_t i = 0; i < bytes; i += 32) {
    __m256i q = Load(query + i);
    sum = Add(sum, _mm256_abs_epi8(q), q, Load(row + i));
  }
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(1, 0, 3, 2)));
  return _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(2, 3, 0, 1))));
}

void Dot(const int8_t* query, const int8_t* const* rows, size_t count, size_t bytes, int32_t* out) {
  size_t asked = 0;
  size_t r = 0;
  for (; r + kRowsTogether <= count; r += kRowsTogether) {
    for (; asked < count && asked < r + kRowsTogether + kLookAhead; ++asked) Prefetch(rows[asked], bytes);
    FourRows(query, rows + r, bytes, out + r);
  }
  for (; r < count; ++r) out[r] = OneRow(query, rows[r], bytes);
}

constexpr CodeKernels kAvx2 = {"avx2", &Dot};

}  // namespace

const CodeKernels* Avx2CodeKernels() { return &kAvx2; }

}  // namespace redoubt::vector

#else

namespace redoubt::vector {
const CodeKernels* Avx2CodeKernels() { return nullptr; }
}  // namespace redoubt::vector

#endif
