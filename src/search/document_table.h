#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/section.h"
#include "vector/id_set.h"

namespace redoubt::search {

using vector::Id;
using vector::IdSet;

// Keys and their ids: small numbers, given out densely and again after a removal.
class DocumentTable {
 public:
  explicit DocumentTable(std::pmr::memory_resource* memory);
  ~DocumentTable();

  DocumentTable(const DocumentTable&) = delete;
  DocumentTable& operator=(const DocumentTable&) = delete;

  std::optional<Id> Find(std::string_view key) const;
  // The id of `key`, a new one if it has none. Throws std::bad_alloc.
  Id FindOrAdd(std::string_view key);
  bool Remove(Id id);
  void PrefetchKey(Id id) const { __builtin_prefetch(keys_[id].text); }
  std::string_view Key(Id id) const { return {keys_[id].text, keys_[id].size}; }

  // Save() takes no lock. Load() reads what it wrote into a table without keys, DataLoss where that cannot be.
  void Save(base::SectionWriter& out) const;
  base::Status Load(base::SectionReader& in);
  void Swap(DocumentTable& other);  // of the same memory

  size_t size() const { return size_; }
  Id bound() const { return static_cast<Id>(keys_.size()); }  // every id is below
  IdSet All() const;
  size_t memory_bytes() const;

 private:
  struct StoredKey {
    char* text = nullptr;  // null: a free id
    uint32_t size = 0;
    Id next_free = 0;  // of a free id
  };
  static constexpr Id kNone = UINT32_MAX;

  // Where `key` is in buckets_, or the empty place where it would be.
  size_t Bucket(std::string_view key) const;
  void Grow();
  Id TakeId(std::string_view key);
  void CloseGap(size_t gap);

  std::pmr::memory_resource* memory_;
  std::pmr::vector<StoredKey> keys_;
  std::pmr::vector<Id> buckets_;  // open addressing; a power of two, at most 3/4 full
  Id first_free_ = kNone;
  size_t size_ = 0;
  size_t key_bytes_ = 0;
};

}  // namespace redoubt::search
