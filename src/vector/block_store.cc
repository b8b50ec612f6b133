#include "vector/block_store.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace redoubt::vector {
namespace {

constexpr size_t kBlockBytes = 128 * 1024;  // small enough that a tiny index stays tiny
constexpr size_t kLargestChunkBytes = 64 << 20;
[[maybe_unused]] constexpr int kMadviseCollapse = 25;  // MADV_COLLAPSE of Linux 6.1, unknown to older headers
[[maybe_unused]] constexpr uintptr_t kPage = 4096;
[[maybe_unused]] constexpr uintptr_t kHugePage = 2 << 20;

unsigned Shift(size_t row_bytes) {
  return static_cast<unsigned>(std::countr_zero(std::bit_floor(std::max<size_t>(kBlockBytes / row_bytes, 1))));
}

}  // namespace

BlockStore::BlockStore(size_t row_bytes, base::MemoryResource& memory)
    : memory_(memory), row_bytes_(row_bytes), shift_(Shift(row_bytes)), mask_((uint32_t{1} << shift_) - 1) {}

// Random reads of a large store miss in the processor's table of pages as often as in its caches; with pages of 2 MiB a
// search took little more than half the time. A chunk alone may be smaller than such a page, but allocators place large
// blocks side by side. A wish, which the system may decline.
void BlockStore::AskForHugePages([[maybe_unused]] const base::Buffer& chunk) {
#if defined(__linux__)
  const auto address = reinterpret_cast<uintptr_t>(chunk.data());
  const uintptr_t begin = address / kPage * kPage;
  const uintptr_t end = (address + chunk.size() + kPage - 1) / kPage * kPage;
  if (begin == run_end_) {
    run_end_ = end;
  } else if (end == run_begin_) {
    run_begin_ = begin;
  } else {
    run_begin_ = begin;
    run_end_ = end;
  }
  for (uintptr_t page = begin / kHugePage * kHugePage; page < end; page += kHugePage) {
    if (page < run_begin_ || page + kHugePage > run_end_) continue;
    if (madvise(reinterpret_cast<void*>(page), kHugePage, MADV_HUGEPAGE) == 0) {
      madvise(reinterpret_cast<void*>(page), kHugePage, kMadviseCollapse);
    }
  }
#endif
}

void BlockStore::MakeRoomInTable(size_t blocks) {
  if (!tables_.empty() && blocks <= tables_.back()->size()) return;
  auto table = std::make_unique<Table>(std::max<size_t>(blocks, tables_.empty() ? 8 : 2 * tables_.back()->size()));
  if (!tables_.empty()) std::copy(tables_.back()->begin(), tables_.back()->end(), table->begin());
  tables_.push_back(std::move(table));
  table_.store(tables_.back()->data(), std::memory_order_release);
}

base::Status BlockStore::Grow(size_t rows) try {
  const size_t block_bytes = row_bytes_ << shift_;
  while (size() < rows) {
    // In proportion, so that a large store is of large pieces and no more than an eighth is spare.
    const size_t wanted = std::clamp<size_t>(blocks_ / 8, 1, std::max<size_t>(kLargestChunkBytes / block_bytes, 1));
    MakeRoomInTable(blocks_ + wanted);
    chunks_.reserve(chunks_.size() + 1);
    ASSIGN_OR_RETURN(base::Buffer chunk, base::Buffer::Create(wanted * block_bytes, memory_));
    std::memset(chunk.data(), 0xff, chunk.size());
    AskForHugePages(chunk);
    for (size_t i = 0; i < wanted; ++i) (*tables_.back())[blocks_ + i] = chunk.data() + i * block_bytes;
    chunks_.push_back(std::move(chunk));
    blocks_ += wanted;
  }
  return base::OkStatus();
} catch (const std::bad_alloc&) {
  return base::ResourceExhausted("no memory for one more block of an index");
}

size_t BlockStore::memory_bytes() const {
  size_t bytes = blocks_ * (row_bytes_ << shift_) + chunks_.capacity() * sizeof(base::Buffer);
  for (const auto& table : tables_) bytes += table->size() * sizeof(std::byte*);
  return bytes;
}

}  // namespace redoubt::vector
