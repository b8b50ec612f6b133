#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "base/result.h"

namespace redoubt::vector {

// Rows of one size that never move, numbered from 0, in blocks; new rows are all ones in every bit.
// At() may run on any thread for a row whose number reached it after Grow() or Adopt() made it. MakeChunk() and
// UseHugePages() are for any thread; everything else needs one caller at a time.
//
// Growing by large chunks takes milliseconds. A thread that must not wait calls Grow(), which adds single blocks;
// others keep it from having to: they make a chunk of ChunkToAdd() blocks and adopt it.
class BlockStore {
 public:
  // Blocks of 128 KiB: small enough that a tiny index stays tiny.
  static constexpr size_t kBlockBytes = 128 * 1024;

  BlockStore(size_t row_bytes, base::MemoryResource& memory, size_t block_bytes = kBlockBytes);

  // At least `rows` exist afterwards. ResourceExhausted when memory has no room.
  base::Status Grow(size_t rows);
  size_t size() const { return blocks_ << shift_; }
  size_t rows_per_block() const { return size_t{1} << shift_; }

  // The blocks that a store with `used` rows in use should be given: 0 while a thirty-second part is spare, else a
  // sixteenth of its size.
  size_t ChunkToAdd(size_t used) const;
  base::Result<base::Buffer> MakeChunk(size_t blocks) const;
  base::Status Adopt(base::Buffer chunk);

  // Parts of this store that may become huge pages, given out once.
  struct Range {
    uintptr_t begin = 0;
    uintptr_t end = 0;
  };
  std::vector<Range> TakeHugeRanges() { return std::exchange(huge_ranges_, {}); }
  static void UseHugePages(const std::vector<Range>& ranges);

  std::byte* At(uint32_t row) const {
    return table_.load(std::memory_order_acquire)[row >> shift_] + (row & mask_) * row_bytes_;
  }

  size_t row_bytes() const { return row_bytes_; }
  size_t memory_bytes() const;

 private:
  using Table = std::vector<std::byte*>;

  void MakeRoomInTable(size_t blocks);
  void NoteHugePages(const base::Buffer& chunk);

  base::MemoryResource& memory_;
  const size_t row_bytes_;
  const unsigned shift_;
  const uint32_t mask_;
  size_t blocks_ = 0;
  uintptr_t run_begin_ = 0;  // the pages of the last chunks that lie side by side
  uintptr_t run_end_ = 0;
  std::vector<Range> huge_ranges_;
  std::vector<base::Buffer> chunks_;            // of one or more blocks each
  std::vector<std::unique_ptr<Table>> tables_;  // the last one is current; a reader may still be in an older one
  std::atomic<std::byte* const*> table_{nullptr};
};

}  // namespace redoubt::vector
