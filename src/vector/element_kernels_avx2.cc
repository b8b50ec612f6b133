#include "vector/element_kernels.h"

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include <immintrin.h>

// Elements that do not fill a register are copied into a zeroed one of the stack: a zero on both sides adds nothing.
namespace redoubt::vector {
namespace {

struct L2Step {
  static __m256 Add(__m256 sum, __m256 q, __m256 x) {
    __m256 difference = _mm256_sub_ps(q, x);
    return _mm256_fmadd_ps(difference, difference, sum);
  }
  static __m256d Add(__m256d sum, __m256d q, __m256d x) {
    __m256d difference = _mm256_sub_pd(q, x);
    return _mm256_fmadd_pd(difference, difference, sum);
  }
  // 16-bit lanes that hold 8-bit elements: their differences and sums of two products fit.
  static __m256i Add(__m256i sum, __m256i q, __m256i x) {
    __m256i difference = _mm256_sub_epi16(q, x);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(difference, difference));
  }
};

struct DotStep {
  static __m256 Add(__m256 sum, __m256 q, __m256 x) { return _mm256_fmadd_ps(q, x, sum); }
  static __m256d Add(__m256d sum, __m256d q, __m256d x) { return _mm256_fmadd_pd(q, x, sum); }
  static __m256i Add(__m256i sum, __m256i q, __m256i x) { return _mm256_add_epi32(sum, _mm256_madd_epi16(q, x)); }
};

__m128i Load128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

// How one kind of row is read: kLanes elements at a time, of the query and of the row.
struct Float64 {
  using Query = double;
  using Element = double;
  using Value = double;
  static constexpr size_t kLanes = 4;
  static __m256d Zero() { return _mm256_setzero_pd(); }
  static __m256d LoadQuery(const double* p) { return _mm256_loadu_pd(p); }
  static __m256d Load(const double* p) { return _mm256_loadu_pd(p); }
  static __m256d Plus(__m256d a, __m256d b) { return _mm256_add_pd(a, b); }
  static double Sum(__m256d v) {
    __m128d half = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)));
  }
};

struct Halves {
  using Query = float;
  using Element = uint16_t;
  using Value = float;
  static constexpr size_t kLanes = 8;
  static __m256 Zero() { return _mm256_setzero_ps(); }
  static __m256 LoadQuery(const float* p) { return _mm256_loadu_ps(p); }
  static __m256 Plus(__m256 a, __m256 b) { return _mm256_add_ps(a, b); }
  static float Sum(__m256 v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
  }
};

struct Float16 : Halves {
  static __m256 Load(const uint16_t* p) { return _mm256_cvtph_ps(Load128(p)); }
};

struct BFloat16 : Halves {
  static __m256 Load(const uint16_t* p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(Load128(p)), 16));
  }
};

struct Bytes {
  using Value = int32_t;
  static constexpr size_t kLanes = 16;
  static __m256i Zero() { return _mm256_setzero_si256(); }
  static __m256i Plus(__m256i a, __m256i b) { return _mm256_add_epi32(a, b); }
  static int32_t Sum(__m256i v) {
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    half = _mm_add_epi32(half, _mm_unpackhi_epi64(half, half));
    return _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 1)));
  }
};

struct Int8 : Bytes {
  using Query = int8_t;
  using Element = int8_t;
  static __m256i LoadQuery(const int8_t* p) { return Load(p); }
  static __m256i Load(const int8_t* p) { return _mm256_cvtepi8_epi16(Load128(p)); }
};

struct UInt8 : Bytes {
  using Query = uint8_t;
  using Element = uint8_t;
  static __m256i LoadQuery(const uint8_t* p) { return Load(p); }
  static __m256i Load(const uint8_t* p) { return _mm256_cvtepu8_epi16(Load128(p)); }
};

// Four sums per row, rows strictly in order, as in kernels_avx2.cc.
template <class Step, class Kind>
typename Kind::Value OneRow(const typename Kind::Query* query, const typename Kind::Element* row, size_t dim) {
  constexpr size_t kLanes = Kind::kLanes;
  auto sum0 = Kind::Zero(), sum1 = Kind::Zero(), sum2 = Kind::Zero(), sum3 = Kind::Zero();
  size_t i = 0;
  for (; i + 4 * kLanes <= dim; i += 4 * kLanes) {
    sum0 = Step::Add(sum0, Kind::LoadQuery(query + i), Kind::Load(row + i));
    sum1 = Step::Add(sum1, Kind::LoadQuery(query + i + kLanes), Kind::Load(row + i + kLanes));
    sum2 = Step::Add(sum2, Kind::LoadQuery(query + i + 2 * kLanes), Kind::Load(row + i + 2 * kLanes));
    sum3 = Step::Add(sum3, Kind::LoadQuery(query + i + 3 * kLanes), Kind::Load(row + i + 3 * kLanes));
  }
  for (; i + kLanes <= dim; i += kLanes) {
    sum0 = Step::Add(sum0, Kind::LoadQuery(query + i), Kind::Load(row + i));
  }
  if (i < dim) {
    typename Kind::Query rest_of_query[kLanes] = {};
    typename Kind::Element rest[kLanes] = {};
    for (size_t lane = 0; i < dim; ++lane, ++i) {
      rest_of_query[lane] = query[i];
      rest[lane] = row[i];
    }
    sum1 = Step::Add(sum1, Kind::LoadQuery(rest_of_query), Kind::Load(rest));
  }
  return Kind::Sum(Kind::Plus(Kind::Plus(sum0, sum1), Kind::Plus(sum2, sum3)));
}

template <class Step, class Kind>
void Rows(const typename Kind::Query* query, const typename Kind::Element* rows, size_t count, size_t dim,
          typename Kind::Value* out) {
  for (size_t r = 0; r < count; ++r) out[r] = OneRow<Step, Kind>(query, rows + r * dim, dim);
}

void WidenHalves(const uint16_t* halves, size_t count, float* out) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) _mm256_storeu_ps(out + i, Float16::Load(halves + i));
  if (i == count) return;
  uint16_t rest[8] = {};
  float wide[8];
  for (size_t lane = 0; i + lane < count; ++lane) rest[lane] = halves[i + lane];
  _mm256_storeu_ps(wide, Float16::Load(rest));
  for (size_t lane = 0; i + lane < count; ++lane) out[i + lane] = wide[lane];
}

template <class Kind>
constexpr RowKernels<typename Kind::Query, typename Kind::Element, typename Kind::Value> kPair = {&Rows<L2Step, Kind>,
                                                                                                  &Rows<DotStep, Kind>};

constexpr ElementKernels kAvx2 = {"avx2",      kPair<Float64>, kPair<Float16>, kPair<BFloat16>,
                                  kPair<Int8>, kPair<UInt8>,   &WidenHalves};

}  // namespace

const ElementKernels* Avx2ElementKernels() { return &kAvx2; }

}  // namespace redoubt::vector

#else

namespace redoubt::vector {
const ElementKernels* Avx2ElementKernels() { return nullptr; }
}  // namespace redoubt::vector

#endif
