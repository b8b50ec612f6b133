#pragma once

#include <algorithm>
#include <cstddef>
#include <memory_resource>
#include <type_traits>
#include <utility>
#include <vector>

namespace redoubt::search {

// An ordered set of small plain values in blocks of up to 256: as dense as an array, and an insert moves one block.
// T has operator<. Inserting in ascending order fills blocks completely.
template <class T>
class SortedBlocks {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit SortedBlocks(std::pmr::memory_resource* memory) : blocks_(memory) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // False when it is there already. Throws std::bad_alloc.
  bool Insert(T value) {
    size_t at = BlockFor(value);
    if (at == blocks_.size()) {
      if (at == 0 || blocks_.back().size() >= kFull) {
        blocks_.emplace_back();
      } else {
        --at;
      }
      blocks_[at].push_back(value);
      ++size_;
      return true;
    }
    Block& block = blocks_[at];
    auto place = std::lower_bound(block.begin(), block.end(), value);
    if (!(value < *place)) return false;
    block.insert(place, value);
    ++size_;
    if (block.size() > kFull) Split(at);
    return true;
  }

  bool Erase(T value) {
    size_t at = BlockFor(value);
    if (at == blocks_.size()) return false;
    Block& block = blocks_[at];
    auto place = std::lower_bound(block.begin(), block.end(), value);
    if (value < *place) return false;
    block.erase(place);
    --size_;
    if (block.size() < kFull / 4) Shrink(at);
    return true;
  }

  // From the first value that is not before `from`, in order, until `visit` answers false.
  template <class Visit>
  void ForEachFrom(T from, Visit&& visit) const {
    for (size_t at = BlockFor(from); at < blocks_.size(); ++at) {
      const Block& block = blocks_[at];
      auto place = block.front() < from ? std::lower_bound(block.begin(), block.end(), from) : block.begin();
      for (; place != block.end(); ++place) {
        if (!visit(*place)) return;
      }
    }
  }

  template <class Visit>
  void ForEach(Visit&& visit) const {
    for (const Block& block : blocks_) {
      for (T value : block) visit(value);
    }
  }

  // How many lie in [low, high], to within a block at each end.
  size_t Estimate(T low, T high) const {
    size_t first = BlockFor(low);
    size_t count = 0;
    for (size_t at = first; at < blocks_.size() && !(high < T(blocks_[at].front())); ++at) count += blocks_[at].size();
    return count;
  }

  size_t memory_bytes() const {
    size_t bytes = blocks_.capacity() * sizeof(Block);
    for (const Block& block : blocks_) bytes += block.capacity() * sizeof(T);
    return bytes;
  }

 private:
  using Block = std::pmr::vector<T>;
  static constexpr size_t kFull = 256;

  // The first block whose last value is not before `value`.
  size_t BlockFor(T value) const {
    auto place = std::lower_bound(blocks_.begin(), blocks_.end(), value,
                                  [](const Block& block, T wanted) { return T(block.back()) < wanted; });
    return static_cast<size_t>(place - blocks_.begin());
  }

  void Split(size_t at) {
    Block upper(blocks_[at].begin() + kFull / 2, blocks_[at].end(), blocks_[at].get_allocator());
    blocks_.insert(blocks_.begin() + static_cast<ptrdiff_t>(at) + 1, std::move(upper));
    blocks_[at].resize(kFull / 2);
  }

  // Drops an empty block; joins a small one with a small neighbour.
  void Shrink(size_t at) {
    auto place = blocks_.begin() + static_cast<ptrdiff_t>(at);
    if (place->empty()) {
      blocks_.erase(place);
    } else if (at + 1 < blocks_.size() && place->size() + place[1].size() <= kFull / 2) {
      place->insert(place->end(), place[1].begin(), place[1].end());
      blocks_.erase(place + 1);
    }
  }

  std::pmr::vector<Block> blocks_;
  size_t size_ = 0;
};

}  // namespace redoubt::search
