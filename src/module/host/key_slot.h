#pragma once

#include <cstdint>
#include <string_view>

namespace redoubt::host {

// The slot of a key, 0..16383, as in the Redis Cluster specification: CRC16 (XMODEM) of the key, or of what stands in
// its first pair of braces when that is not empty.
uint16_t KeySlot(std::string_view key);

}  // namespace redoubt::host
