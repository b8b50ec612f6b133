#include "search/document_table.h"

#include <cstring>
#include <functional>
#include <utility>

namespace redoubt::search {
namespace {

constexpr uint32_t kFreeId = UINT32_MAX;  // in a file, in place of the size of a key

size_t Hash(std::string_view key) { return std::hash<std::string_view>()(key); }

}  // namespace

DocumentTable::DocumentTable(std::pmr::memory_resource* memory) : memory_(memory), keys_(memory), buckets_(memory) {}

DocumentTable::~DocumentTable() {
  for (StoredKey& key : keys_) {
    if (key.text != nullptr) memory_->deallocate(key.text, key.size + 1, 1);
  }
}

size_t DocumentTable::Bucket(std::string_view key) const {
  size_t mask = buckets_.size() - 1;
  size_t at = Hash(key) & mask;
  while (buckets_[at] != kNone && Key(buckets_[at]) != key) at = (at + 1) & mask;
  return at;
}

std::optional<Id> DocumentTable::Find(std::string_view key) const {
  if (buckets_.empty()) return std::nullopt;
  Id id = buckets_[Bucket(key)];
  if (id == kNone) return std::nullopt;
  return id;
}

Id DocumentTable::FindOrAdd(std::string_view key) {
  if (std::optional<Id> known = Find(key)) return *known;
  if ((size_ + 1) * 4 > buckets_.size() * 3) Grow();
  Id id = TakeId(key);
  buckets_[Bucket(key)] = id;
  ++size_;
  return id;
}

void DocumentTable::Grow() {
  std::pmr::vector<Id> grown(buckets_.empty() ? 16 : buckets_.size() * 2, kNone, memory_);
  buckets_.swap(grown);
  for (Id id : grown) {
    if (id != kNone) buckets_[Bucket(Key(id))] = id;
  }
}

Id DocumentTable::TakeId(std::string_view key) {
  // One byte more, so that an empty key has a place too.
  auto* text = static_cast<char*>(memory_->allocate(key.size() + 1, 1));
  if (first_free_ == kNone) {
    try {
      keys_.emplace_back();
    } catch (...) {
      memory_->deallocate(text, key.size() + 1, 1);
      throw;
    }
    first_free_ = static_cast<Id>(keys_.size() - 1);
    keys_[first_free_].next_free = kNone;
  }
  Id id = first_free_;
  first_free_ = keys_[id].next_free;
  if (!key.empty()) std::memcpy(text, key.data(), key.size());
  keys_[id] = {text, static_cast<uint32_t>(key.size()), 0};
  key_bytes_ += key.size() + 1;
  return id;
}

bool DocumentTable::Remove(Id id) {
  if (id >= keys_.size() || keys_[id].text == nullptr) return false;
  CloseGap(Bucket(Key(id)));
  key_bytes_ -= keys_[id].size + 1;
  memory_->deallocate(keys_[id].text, keys_[id].size + 1, 1);
  keys_[id] = {nullptr, 0, first_free_};
  first_free_ = id;
  --size_;
  return true;
}

// Moves later entries of the same run back, so that no search stops short at the emptied place.
void DocumentTable::CloseGap(size_t gap) {
  size_t mask = buckets_.size() - 1;
  for (size_t at = (gap + 1) & mask; buckets_[at] != kNone; at = (at + 1) & mask) {
    size_t home = Hash(Key(buckets_[at])) & mask;
    if (((at - home) & mask) < ((at - gap) & mask)) continue;  // it may not stand before its home
    buckets_[gap] = buckets_[at];
    gap = at;
  }
  buckets_[gap] = kNone;
}

IdSet DocumentTable::All() const {
  IdSet all(keys_.size());
  for (Id id = 0; id < keys_.size(); ++id) {
    if (keys_[id].text != nullptr) all.Insert(id);
  }
  return all;
}

void DocumentTable::Save(base::SectionWriter& out) const {
  out.Number(static_cast<uint32_t>(keys_.size()));
  for (const StoredKey& key : keys_) {
    out.Number(key.text == nullptr ? kFreeId : key.size);
    if (key.text != nullptr) out.Bytes(std::as_bytes(std::span(key.text, key.size)));
  }
}

base::Status DocumentTable::Load(base::SectionReader& in) {
  const auto bound = in.Number<uint32_t>();
  for (Id id = 0; id < bound && !in.failed(); ++id) {
    const auto size = in.Number<uint32_t>();
    if (size == kFreeId) {
      keys_.emplace_back();
      continue;
    }
    const std::string key = in.Text(size);
    if (!in.failed() && FindOrAdd(key) != id) return base::DataLoss("it is damaged: a key is there twice");
  }
  if (in.failed()) return base::DataLoss("it is damaged: it ends too early");
  for (Id id = bound; id-- > 0;) {
    if (keys_[id].text == nullptr) keys_[id].next_free = std::exchange(first_free_, id);
  }
  return base::OkStatus();
}

void DocumentTable::Swap(DocumentTable& other) {
  keys_.swap(other.keys_);
  buckets_.swap(other.buckets_);
  std::swap(first_free_, other.first_free_);
  std::swap(size_, other.size_);
  std::swap(key_bytes_, other.key_bytes_);
}

size_t DocumentTable::memory_bytes() const {
  return key_bytes_ + keys_.capacity() * sizeof(StoredKey) + buckets_.capacity() * sizeof(Id);
}

}  // namespace redoubt::search
