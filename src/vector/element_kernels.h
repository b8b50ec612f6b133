#pragma once

#include <cstddef>
#include <cstdint>

// The inner loops over elements other than floats; the rules of kernels.h about includes hold here too.
namespace redoubt::vector {

template <class Query, class Element, class Value>
struct RowKernels {
  // One query against `count` rows that lie one after another, `dim` elements each; out[i] gets row i's value.
  using Rows = void (*)(const Query* query, const Element* rows, size_t count, size_t dim, Value* out);
  Rows squared_l2;
  Rows dot;
};

struct ElementKernels {
  const char* name;
  RowKernels<double, double, double> float64;
  RowKernels<float, uint16_t, float> float16;  // the query as floats: each half is widened where it is used
  RowKernels<float, uint16_t, float> bfloat16;
  RowKernels<int8_t, int8_t, int32_t> int8;     // exact up to dim 32768
  RowKernels<uint8_t, uint8_t, int32_t> uint8;  // the same
  void (*widen_halves)(const uint16_t* halves, size_t count, float* out);
};

const ElementKernels& ScalarElementKernels();
// Null where the build target has no such instruction set; whether the processor has it is the caller's question.
const ElementKernels* Avx2ElementKernels();  // AVX2, FMA and F16C

bool ProcessorHasF16c();  // with AVX2 and FMA

// The best that this processor runs, chosen once.
const ElementKernels& BestElementKernels();

}  // namespace redoubt::vector
