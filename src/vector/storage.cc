#include "vector/storage.h"

#include <cstddef>

#include "vector/same_name.h"

namespace redoubt::vector {

std::string_view StorageName(Storage storage) {
  constexpr std::string_view kNames[] = {"INT8", "NONE", "INT4", "BINARY"};
  return kNames[static_cast<size_t>(storage)];
}

std::optional<Storage> ParseStorage(std::string_view name) {
  for (Storage storage : kStorages) {
    if (SameName(name, StorageName(storage))) return storage;
  }
  return std::nullopt;
}

}  // namespace redoubt::vector
