#include "vector/code_kernels.h"

namespace redoubt::vector {
namespace {

void Dot(const int8_t* query, const int8_t* const* rows, size_t count, size_t bytes, int32_t* out) {
  for (size_t r = 0; r < count; ++r) {
    const int8_t* row = rows[r];
    int32_t sum = 0;
    for (size_t i = 0; i < bytes; ++i) sum += int32_t{query[i]} * row[i];
    out[r] = sum;
  }
}

void Dot4(const int8_t* query, const uint8_t* const* rows, size_t count, size_t bytes, int32_t* out) {
  for (size_t r = 0; r < count; ++r) {
    int32_t sum = 0;
    for (size_t i = 0; i < bytes; ++i) {
      const int8_t* group = query + i / 32 * 64 + i % 32;
      sum += group[0] * (rows[r][i] & 15) + group[32] * (rows[r][i] >> 4);
    }
    out[r] = sum;
  }
}

void Dot1(const int8_t* query, const uint8_t* const* rows, size_t count, size_t bytes, int32_t* out) {
  for (size_t r = 0; r < count; ++r) {
    int32_t sum = 0;
    for (size_t i = 0; i < 8 * bytes; ++i) sum += query[i] * (rows[r][i / 8] >> (i % 8) & 1);
    out[r] = sum;
  }
}

constexpr CodeKernels kScalar = {"scalar", &Dot, &Dot4, &Dot1};

const CodeKernels* Choose() {
  if (VnniCodeKernels() != nullptr && ProcessorHasVnni()) return VnniCodeKernels();
#if defined(__x86_64__)
  if (Avx2CodeKernels() != nullptr && __builtin_cpu_supports("avx2")) return Avx2CodeKernels();
#endif
  return &kScalar;
}

}  // namespace

const CodeKernels& ScalarCodeKernels() { return kScalar; }

bool ProcessorHasVnni() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512f");
#else
  return false;
#endif
}

const CodeKernels& BestCodeKernels() {
  static const CodeKernels* best = Choose();
  return *best;
}

}  // namespace redoubt::vector
