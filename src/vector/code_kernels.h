#pragma once

#include <cstddef>
#include <cstdint>

// Inner loops over 8-bit codes; the rules of kernels.h about includes hold here too.
namespace redoubt::vector {

inline constexpr size_t kCodeAlignment = 32;  // codes are padded with zeros to a multiple of this many bytes

// The integer dot product of one code with `count` codes of `bytes` each, a multiple of kCodeAlignment; no element is
// -128. Rows are asked for ahead of their use.
using CodeKernel = void (*)(const int8_t* query, const int8_t* const* rows, size_t count, size_t bytes, int32_t* out);

struct CodeKernels {
  const char* name;
  CodeKernel dot;
};

const CodeKernels& ScalarCodeKernels();
// Null where the build target has no such instruction set; whether the processor has it is the caller's question.
const CodeKernels* Avx2CodeKernels();
const CodeKernels* VnniCodeKernels();  // AVX-512 VNNI and VL

bool ProcessorHasVnni();

// The best that this processor runs, chosen once.
const CodeKernels& BestCodeKernels();

}  // namespace redoubt::vector
