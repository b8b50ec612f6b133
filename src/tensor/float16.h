#pragma once

#include <cstdint>

namespace redoubt::tensor {

// IEEE 754 binary16 and bfloat16 as bit patterns; rounding to nearest, ties to even.
uint16_t FloatToHalf(float value);
float HalfToFloat(uint16_t bits);
uint16_t FloatToBFloat16(float value);
float BFloat16ToFloat(uint16_t bits);

}  // namespace redoubt::tensor
