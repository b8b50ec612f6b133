#include "vector/block_store.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace redoubt::vector {
namespace {

constexpr size_t kBlockBytes = 128 * 1024;  // small enough that a tiny index stays tiny

unsigned Shift(size_t row_bytes) {
  return static_cast<unsigned>(std::countr_zero(std::bit_floor(std::max<size_t>(kBlockBytes / row_bytes, 1))));
}

}  // namespace

BlockStore::BlockStore(size_t row_bytes, base::MemoryResource& memory)
    : memory_(memory), row_bytes_(row_bytes), shift_(Shift(row_bytes)), mask_((uint32_t{1} << shift_) - 1) {}

base::Status BlockStore::Grow(size_t rows) try {
  while (size() < rows) {
    if (tables_.empty() || blocks_.size() == tables_.back()->size()) {
      auto table = std::make_unique<Table>(tables_.empty() ? 8 : 2 * tables_.back()->size());
      if (!tables_.empty()) std::copy(tables_.back()->begin(), tables_.back()->end(), table->begin());
      tables_.push_back(std::move(table));
      table_.store(tables_.back()->data(), std::memory_order_release);
    }
    ASSIGN_OR_RETURN(base::Buffer block, base::Buffer::Create(row_bytes_ << shift_, memory_));
    std::memset(block.data(), 0xff, block.size());
    blocks_.push_back(std::move(block));
    (*tables_.back())[blocks_.size() - 1] = blocks_.back().data();
  }
  return base::OkStatus();
} catch (const std::bad_alloc&) {
  return base::ResourceExhausted("no memory for one more block of an index");
}

size_t BlockStore::memory_bytes() const {
  size_t bytes = blocks_.size() * (row_bytes_ << shift_) + blocks_.capacity() * sizeof(base::Buffer);
  for (const auto& table : tables_) bytes += table->size() * sizeof(std::byte*);
  return bytes;
}

}  // namespace redoubt::vector
