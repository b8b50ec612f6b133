#include "vector/code_kernels.h"

#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
#include <immintrin.h>

namespace redoubt::vector {
namespace {

constexpr size_t kRowsTogether = 4;
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

__m512i LoadWide(const int8_t* at) { return _mm512_loadu_si512(at); }

__m256i Halves(__m512i v) { return _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1)); }

// The loads of the query and the final additions are shared by four rows.
void FourRows(const int8_t* query, const int8_t* const* rows, size_t bytes, __m128i excess, int32_t* out) {
  const __m512i offset = _mm512_set1_epi8(static_cast<char>(0x80));
  __m512i wide[kRowsTogether] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                                 _mm512_setzero_si512()};
  size_t i = 0;
  for (; i + 64 <= bytes; i += 64) {
    const __m512i q = LoadWide(query + i);
    for (size_t r = 0; r < kRowsTogether; ++r) {
      wide[r] = _mm512_dpbusd_epi32(wide[r], _mm512_xor_si512(LoadWide(rows[r] + i), offset), q);
    }
  }
  __m256i sums[kRowsTogether];
  for (size_t r = 0; r < kRowsTogether; ++r) {
    sums[r] = Halves(wide[r]);
    if (i == bytes) continue;
    const __m256i row = _mm256_xor_si256(Load(rows[r] + i), _mm512_castsi512_si256(offset));
    sums[r] = _mm256_dpbusd_epi32(sums[r], row, Load(query + i));
  }
  const __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3]));
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_sub_epi32(four, excess));
}

int32_t OneRow(const int8_t* query, const int8_t* row, size_t bytes) {
  const __m256i offset = _mm256_set1_epi8(static_cast<char>(0x80));
  __m256i sum = _mm256_setzero_si256();
  for (size_t i = 0; i < bytes; i += 32) {
    sum = _mm256_dpbusd_epi32(sum, _mm256_xor_si256(Load(row + i), offset), Load(query + i));
  }
  return Sum(sum);
}

void Dot(const int8_t* query, const int8_t* const* rows, size_t count, size_t bytes, int32_t* out) {
  const __m256i offset = _mm256_set1_epi8(static_cast<char>(0x80));
  __m256i shifted = _mm256_setzero_si256();
  for (size_t i = 0; i < bytes; i += 32) shifted = _mm256_dpbusd_epi32(shifted, offset, Load(query + i));
  const int32_t excess = Sum(shifted);
  size_t asked = 0;
  size_t r = 0;
  for (; r + kRowsTogether <= count; r += kRowsTogether) {
    for (; asked < count && asked < r + kRowsTogether + kLookAhead; ++asked) Prefetch(rows[asked], bytes);
    FourRows(query, rows + r, bytes, _mm_set1_epi32(excess), out + r);
  }
  for (; r < count; ++r) out[r] = OneRow(query, rows[r], bytes) - excess;
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
