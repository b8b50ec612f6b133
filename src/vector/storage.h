#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace redoubt::vector {

// What a graph keeps of a vector: 8, 4 or 1 bit of each element, or floats. The numbers are those of files.
enum class Storage : uint8_t { kInt8 = 0, kFloat32 = 1, kInt4 = 2, kBinary = 3 };

inline constexpr Storage kStorages[] = {Storage::kInt8, Storage::kFloat32, Storage::kInt4, Storage::kBinary};

std::string_view StorageName(Storage storage);               // "INT8", "NONE" for floats, "INT4", "BINARY"
std::optional<Storage> ParseStorage(std::string_view name);  // in either case

}  // namespace redoubt::vector
