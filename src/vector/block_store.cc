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

constexpr size_t kLargestChunkBytes = 64 << 20;
[[maybe_unused]] constexpr int kMadviseCollapse = 25;  // MADV_COLLAPSE of Linux 6.1, unknown to older headers
constexpr uintptr_t kPage = 4096;
constexpr uintptr_t kHugePage = 2 << 20;

unsigned Shift(size_t row_bytes, size_t block_bytes) {
  return static_cast<unsigned>(std::countr_zero(std::bit_floor(std::max<size_t>(block_bytes / row_bytes, 1))));
}

}  // namespace

BlockStore::BlockStore(size_t row_bytes, base::MemoryResource& memory, size_t block_bytes)
    : memory_(memory),
      row_bytes_(row_bytes),
      shift_(Shift(row_bytes, block_bytes)),
      mask_((uint32_t{1} << shift_) - 1) {}

// Random reads of a large store miss in the processor's table of pages as often as in its caches; with pages of 2 MiB a
// search took little more than half the time. A chunk alone may be smaller than such a page, but allocators place large
// blocks side by side, so that the last chunks are seen as one run.
void BlockStore::NoteHugePages(const base::Buffer& chunk) {
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
  Range range;
  for (uintptr_t page = begin / kHugePage * kHugePage; page < end; page += kHugePage) {
    if (page < run_begin_ || page + kHugePage > run_end_) continue;
    if (range.begin == 0) range.begin = page;
    range.end = page + kHugePage;
  }
  if (range.end != 0) huge_ranges_.push_back(range);
}

// A wish, which the system may decline. About 1 ms per page.
void BlockStore::UseHugePages([[maybe_unused]] const std::vector<Range>& ranges) {
#if defined(__linux__)
  for (const Range& range : ranges) {
    for (uintptr_t page = range.begin; page < range.end; page += kHugePage) {
      if (madvise(reinterpret_cast<void*>(page), kHugePage, MADV_HUGEPAGE) == 0) {
        madvise(reinterpret_cast<void*>(page), kHugePage, kMadviseCollapse);
      }
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

size_t BlockStore::ChunkToAdd(size_t used) const {
  if (size() >= used && size() - used > size() / 32) return 0;
  const size_t block_bytes = row_bytes_ << shift_;
  return std::clamp<size_t>(blocks_ / 16, 1, std::max<size_t>(kLargestChunkBytes / block_bytes, 1));
}

base::Result<base::Buffer> BlockStore::MakeChunk(size_t blocks) const {
  ASSIGN_OR_RETURN(base::Buffer chunk, base::Buffer::Create(blocks * (row_bytes_ << shift_), memory_));
  std::memset(chunk.data(), 0xff, chunk.size());
  return chunk;
}

base::Status BlockStore::Adopt(base::Buffer chunk) try {
  const size_t block_bytes = row_bytes_ << shift_;
  const size_t added = chunk.size() / block_bytes;
  MakeRoomInTable(blocks_ + added);
  NoteHugePages(chunk);
  std::byte* const begin = chunk.data();
  chunks_.push_back(std::move(chunk));
  for (size_t i = 0; i < added; ++i) (*tables_.back())[blocks_ + i] = begin + i * block_bytes;
  blocks_ += added;
  return base::OkStatus();
} catch (const std::bad_alloc&) {
  return base::ResourceExhausted("no memory for one more block of an index");
}

base::Status BlockStore::Grow(size_t rows) {
  while (size() < rows) {
    ASSIGN_OR_RETURN(base::Buffer block, MakeChunk(1));
    RETURN_IF_ERROR(Adopt(std::move(block)));
  }
  return base::OkStatus();
}

size_t BlockStore::memory_bytes() const {
  size_t bytes = blocks_ * (row_bytes_ << shift_) + chunks_.capacity() * sizeof(base::Buffer);
  for (const auto& table : tables_) bytes += table->size() * sizeof(std::byte*);
  return bytes;
}

}  // namespace redoubt::vector
