#pragma once

#include <memory_resource>
#include <vector>

#include "base/memory.h"
#include "search/document_table.h"

namespace redoubt::search {

// Which documents have a field at all: one bit for each. For fields with INDEXMISSING.
class Presence {
 public:
  explicit Presence(base::MemoryResource& memory) : memory_(memory), bits_(&memory_) {}

  // Throws std::bad_alloc when `present` and there is no room.
  void Set(Id id, bool present) {
    if (id >= bits_.size() && !present) return;
    if (id >= bits_.size()) bits_.resize(size_t{id} + 1);
    bits_[id] = present;
  }
  void RemoveFrom(IdSet& documents) const {
    for (size_t id = 0; id < bits_.size() && id < documents.bound(); ++id) {
      if (bits_[id]) documents.Erase(static_cast<Id>(id));
    }
  }

 private:
  base::StdMemoryAdapter memory_;
  std::pmr::vector<bool> bits_;
};

}  // namespace redoubt::search
