#pragma once

#include <cstddef>

// The inner loops, one file per instruction set. The files that are compiled for a newer instruction set include
// nothing but this header and intrinsics: an inline function of the standard library compiled there could be the copy
// that the linker keeps for everybody, and would then fault on older processors.
namespace redoubt::vector {

// One query against `count` rows that lie one after another, `dim` floats each; out[i] gets row i's value.
using RowsKernel = void (*)(const float* query, const float* rows, size_t count, size_t dim, float* out);

struct Kernels {
  const char* name;
  RowsKernel squared_l2;
  RowsKernel dot;
};

const Kernels& ScalarKernels();
// Null where the build target has no such instruction set; whether the processor has it is the caller's question.
const Kernels* Avx2Kernels();
const Kernels* Avx512Kernels();

// The best that this processor runs, chosen once.
const Kernels& BestKernels();

}  // namespace redoubt::vector
