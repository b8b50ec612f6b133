#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace redoubt::search {

// Numbers of seven bits to a byte, the lowest first; each but the last has the highest bit set.

inline constexpr size_t kMaxVarintBytes = 10;

// How many bytes it took: at most kMaxVarintBytes.
inline size_t WriteVarint(uint64_t value, uint8_t* to) {
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) to[size++] = static_cast<uint8_t>(value | 0x80);
  to[size++] = static_cast<uint8_t>(value);
  return size;
}

inline void AppendVarint(uint64_t value, std::vector<uint8_t>& out) {
  std::array<uint8_t, kMaxVarintBytes> bytes;
  const size_t size = WriteVarint(value, bytes.data());
  out.insert(out.end(), bytes.data(), bytes.data() + size);
}

// Only over bytes that were written by the above; steps behind them.
inline uint64_t ReadVarint(const uint8_t*& at) {
  uint64_t value = *at & 0x7fu;
  for (int shift = 7; (*at++ & 0x80) != 0; shift += 7) value |= uint64_t{*at & 0x7fu} << shift;
  return value;
}

inline void SkipVarints(const uint8_t*& at, uint32_t count) {
  for (; count > 0; --count) {
    while ((*at & 0x80) != 0) ++at;
    ++at;
  }
}

}  // namespace redoubt::search
