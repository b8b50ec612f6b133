#include "vector/code_kernels.h"

#if defined(__AVX2__)
#include <immintrin.h>

namespace redoubt::vector {
namespace {

constexpr size_t kRowsTogether = 4;
constexpr size_t kLookAhead = 4;

template <class Byte>
__m256i Load(const Byte* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

// |q| * (x with the sign of q), in pairs of 16 bits: 2 * 127 * 127 fits.
__m256i Add(__m256i sum, __m256i magnitude, __m256i query, __m256i row) {
  __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(row, query));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

template <class Byte>
void Prefetch(const Byte* row, size_t bytes) {
  for (size_t i = 0; i < bytes && i < 1024; i += 64) _mm_prefetch(reinterpret_cast<const char*>(row + i), _MM_HINT_T0);
}

__m128i SumOfFour(__m256i sum0, __m256i sum1, __m256i sum2, __m256i sum3) {
  __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(sum0, sum1), _mm256_hadd_epi32(sum2, sum3));
  return _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
}

int32_t SumOfOne(__m256i sum) {
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(1, 0, 3, 2)));
  return _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(2, 3, 0, 1))));
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
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), SumOfFour(sum0, sum1, sum2, sum3));
}

int32_t OneRow(const int8_t* query, const int8_t* row, size_t bytes) {
  __m256i sum = _mm256_setzero_si256();
  for (size_t i = 0; i < bytes; i += 32) {
    __m256i q = Load(query + i);
    sum = Add(sum, _mm256_abs_epi8(q), q, Load(row + i));
  }
  return SumOfOne(sum);
}

// Calls `four` for each four rows and `one` for each of the rest, with rows asked for ahead.
template <class Row, class Four, class One>
void EachRow(const Row* const* rows, size_t count, size_t bytes, Four&& four, One&& one) {
  size_t asked = 0;
  size_t r = 0;
  for (; r + kRowsTogether <= count; r += kRowsTogether) {
    for (; asked < count && asked < r + kRowsTogether + kLookAhead; ++asked) Prefetch(rows[asked], bytes);
    four(r);
  }
  for (; r < count; ++r) one(r);
}

void Dot(const int8_t* query, const int8_t* const* rows, size_t count, size_t bytes, int32_t* out) {
  EachRow(
      rows, count, bytes, [=](size_t r) { FourRows(query, rows + r, bytes, out + r); },
      [=](size_t r) { out[r] = OneRow(query, rows[r], bytes); });
}

// Unsigned times signed in pairs of 16 bits: 4 * 15 * 127 fits.
__m256i Add4(__m256i sum, __m256i low_query, __m256i high_query, __m256i row) {
  const __m256i low_half = _mm256_set1_epi8(15);
  __m256i low = _mm256_maddubs_epi16(_mm256_and_si256(row, low_half), low_query);
  __m256i high = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(row, 4), low_half), high_query);
  return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_add_epi16(low, high), _mm256_set1_epi16(1)));
}

void Dot4(const int8_t* query, const uint8_t* const* rows, size_t count, size_t bytes, int32_t* out) {
  const auto four = [=](size_t r) {
    __m256i sum0 = _mm256_setzero_si256();
    __m256i sum1 = sum0;
    __m256i sum2 = sum0;
    __m256i sum3 = sum0;
    for (size_t i = 0; i < bytes; i += 32) {
      __m256i low = Load(query + 2 * i);
      __m256i high = Load(query + 2 * i + 32);
      sum0 = Add4(sum0, low, high, Load(rows[r] + i));
      sum1 = Add4(sum1, low, high, Load(rows[r + 1] + i));
      sum2 = Add4(sum2, low, high, Load(rows[r + 2] + i));
      sum3 = Add4(sum3, low, high, Load(rows[r + 3] + i));
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + r), SumOfFour(sum0, sum1, sum2, sum3));
  };
  const auto one = [=](size_t r) {
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = 0; i < bytes; i += 32)
      sum = Add4(sum, Load(query + 2 * i), Load(query + 2 * i + 32), Load(rows[r] + i));
    out[r] = SumOfOne(sum);
  };
  EachRow(rows, count, bytes, four, one);
}

// Adds those of 32 numbers whose bit is set: each bit becomes a byte of ones.
__m256i Add1(__m256i sum, __m256i query, const uint8_t* bits) {
  int32_t word;
  __builtin_memcpy(&word, bits, sizeof(word));
  const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,  //
                                          2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  const __m256i each = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
  __m256i set = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(word), spread), each);
  __m256i chosen = _mm256_and_si256(_mm256_cmpeq_epi8(set, each), query);
  __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), chosen);
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

void Dot1(const int8_t* query, const uint8_t* const* rows, size_t count, size_t bytes, int32_t* out) {
  const auto four = [=](size_t r) {
    __m256i sum0 = _mm256_setzero_si256();
    __m256i sum1 = sum0;
    __m256i sum2 = sum0;
    __m256i sum3 = sum0;
    for (size_t i = 0; i < bytes; i += 4) {
      __m256i q = Load(query + 8 * i);
      sum0 = Add1(sum0, q, rows[r] + i);
      sum1 = Add1(sum1, q, rows[r + 1] + i);
      sum2 = Add1(sum2, q, rows[r + 2] + i);
      sum3 = Add1(sum3, q, rows[r + 3] + i);
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + r), SumOfFour(sum0, sum1, sum2, sum3));
  };
  const auto one = [=](size_t r) {
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = 0; i < bytes; i += 4) sum = Add1(sum, Load(query + 8 * i), rows[r] + i);
    out[r] = SumOfOne(sum);
  };
  EachRow(rows, count, bytes, four, one);
}

constexpr CodeKernels kAvx2 = {"avx2", &Dot, &Dot4, &Dot1};

}  // namespace

const CodeKernels* Avx2CodeKernels() { return &kAvx2; }

}  // namespace redoubt::vector

#else

namespace redoubt::vector {
const CodeKernels* Avx2CodeKernels() { return nullptr; }
}  // namespace redoubt::vector

#endif
