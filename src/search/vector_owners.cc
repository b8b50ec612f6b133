#include "search/vector_owners.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace redoubt::search {

using vector::Hit;

VectorOwners::VectorOwners(std::pmr::memory_resource* memory)
    : owners_(memory), free_(memory), vectors_(memory), documents_by_count_(memory) {}

void VectorOwners::Count(size_t before, size_t after) {
  if (before == after) return;
  if (after > 0) ++documents_by_count_[after];
  if (before == 0) return;
  const auto place = documents_by_count_.find(before);
  if (--place->second == 0) documents_by_count_.erase(place);
}

std::span<const Id> VectorOwners::Resize(Id document, size_t count, const std::function<void(Id)>& drop) {
  if (document >= vectors_.size()) {
    if (count == 0) return {};
    vectors_.resize(size_t{document} + 1);
  }
  std::pmr::vector<Id>& vectors = vectors_[document];
  const size_t before = vectors.size();
  if (count > before) {
    vectors.reserve(count);
    const size_t fresh = count - before - std::min(count - before, free_.size());
    const size_t needed = owners_.size() + fresh;
    if (needed > owners_.capacity()) owners_.reserve(std::max(needed, 2 * owners_.capacity()));
    free_.reserve(std::max(free_.capacity(), owners_.capacity()));
  }
  Count(before, count);
  while (vectors.size() > count) {
    drop(vectors.back());
    owners_[vectors.back()] = kNobody;
    free_.push_back(vectors.back());
    vectors.pop_back();
  }
  while (vectors.size() < count) {
    if (free_.empty()) {
      owners_.push_back(kNobody);
      free_.push_back(static_cast<Id>(owners_.size() - 1));
    }
    vectors.push_back(free_.back());
    free_.pop_back();
    owners_[vectors.back()] = document;
  }
  if (count == 0) vectors.shrink_to_fit();
  return vectors;
}

std::span<const Id> VectorOwners::Of(Id document) const {
  return document < vectors_.size() ? std::span<const Id>(vectors_[document]) : std::span<const Id>();
}

size_t VectorOwners::VectorsFor(size_t k) const {
  if (k == 0 || most() == 0) return 0;
  const bool beyond = k - 1 > (std::numeric_limits<size_t>::max() - 1) / most();
  return beyond ? size() : std::min(size(), (k - 1) * most() + 1);
}

IdSet VectorOwners::VectorsOf(const IdSet& documents) const {
  IdSet set(owners_.size());
  documents.ForEach([&](Id document) {
    for (Id vector : Of(document)) set.Insert(vector);
    return true;
  });
  return set;
}

std::vector<Hit> VectorOwners::Documents(std::vector<Hit> hits) const {
  // A vector that was taken out while a walk was under way belongs to nobody.
  std::erase_if(hits, [this](const Hit& hit) { return hit.id >= owners_.size() || owners_[hit.id] == kNobody; });
  for (Hit& hit : hits) hit.id = owners_[hit.id];
  std::sort(hits.begin(), hits.end());
  std::vector<Hit> documents;
  IdSet seen(vectors_.size());
  for (const Hit& hit : hits) {
    if (seen.Contains(hit.id)) continue;
    seen.Insert(hit.id);
    documents.push_back(hit);
  }
  return documents;
}

size_t VectorOwners::memory_bytes() const {
  return (owners_.capacity() + free_.capacity() + size()) * sizeof(Id) +
         vectors_.capacity() * sizeof(std::pmr::vector<Id>);
}

void VectorOwners::Save(base::SectionWriter& out) const {
  std::vector<uint32_t> places(owners_.size());
  for (const std::pmr::vector<Id>& vectors : vectors_) {
    for (size_t i = 0; i < vectors.size(); ++i) places[vectors[i]] = static_cast<uint32_t>(i);
  }
  out.Number(static_cast<uint32_t>(owners_.size()));
  for (size_t vector = 0; vector < owners_.size(); ++vector) {
    out.Number(owners_[vector]);
    out.Number(places[vector]);
  }
}

base::Status VectorOwners::Load(const IdSet& documents, base::SectionReader& in) {
  const auto bound = in.Number<uint32_t>();
  vectors_.resize(documents.bound());
  std::vector<uint32_t> places;  // by vector, as the owners
  for (Id vector = 0; vector < bound && !in.failed(); ++vector) {
    owners_.push_back(in.Number<uint32_t>());
    places.push_back(in.Number<uint32_t>());
    if (in.failed() || owners_.back() == kNobody) continue;
    if (!documents.Contains(owners_.back())) {
      return base::DataLoss(fmt::format("it is damaged: vector {} is of no document", vector));
    }
    vectors_[owners_.back()].push_back(vector);
  }
  if (in.failed()) return base::DataLoss("it is damaged: it ends too early");
  free_.reserve(owners_.capacity());
  for (Id vector = bound; vector-- > 0;) {
    if (owners_[vector] == kNobody) free_.push_back(vector);
  }
  for (std::pmr::vector<Id>& vectors : vectors_) {
    std::sort(vectors.begin(), vectors.end(), [&](Id a, Id b) { return places[a] < places[b]; });
    for (size_t i = 0; i < vectors.size(); ++i) {
      if (places[vectors[i]] != i) return base::DataLoss("it is damaged: a document lacks a vector");
    }
    Count(0, vectors.size());
  }
  return base::OkStatus();
}

IdSet VectorOwners::Vectors() const {
  IdSet all(owners_.size());
  for (size_t vector = 0; vector < owners_.size(); ++vector) {
    if (owners_[vector] != kNobody) all.Insert(static_cast<Id>(vector));
  }
  return all;
}

void VectorOwners::Swap(VectorOwners& other) {
  owners_.swap(other.owners_);
  free_.swap(other.free_);
  vectors_.swap(other.vectors_);
  documents_by_count_.swap(other.documents_by_count_);
}

}  // namespace redoubt::search
