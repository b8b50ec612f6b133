#pragma once

#include <cstddef>
#include <cstdint>

// Inner loops over codes; the rules of kernels.h about includes hold here too.
namespace redoubt::vector {

inline constexpr size_t kCodeAlignment = 32;  // codes of 8 bits are padded with zeros to a multiple of this many bytes

// The integer dot product of one code with `count` codes of `bytes` each, a multiple of kCodeAlignment; no element is
// -128. Rows are asked for ahead of their use.
using CodeKernel = void (*)(const int8_t* query, const int8_t* const* rows, size_t count, size_t bytes, int32_t* out);

// The same with rows of unsigned numbers in fewer bits. `bytes` is that of a row.
//   4 bits: a row is groups of 32 bytes, of 64 numbers: byte j has number j in its lower half and number 32 + j in its
//           upper half.
//   1 bit:  number i is bit i % 8 of byte i / 8; `bytes` is a multiple of 8.
using PackedKernel = void (*)(const int8_t* query, const uint8_t* const* rows, size_t count, size_t bytes,
                              int32_t* out);

struct CodeKernels {
  const char* name;
  CodeKernel dot;
  PackedKernel dot4;
  PackedKernel dot1;
};

const CodeKernels& ScalarCodeKernels();
// Null where the build target has no such instruction set; whether the processor has it is the caller's question.
const CodeKernels* Avx2CodeKernels();
const CodeKernels* VnniCodeKernels();  // AVX-512 VNNI and VL

bool ProcessorHasVnni();

// The best that this processor runs, chosen once.
const CodeKernels& BestCodeKernels();

}  // namespace redoubt::vector
