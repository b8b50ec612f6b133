#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/memory.h"
#include "base/result.h"

namespace redoubt::vector {

// Rows of one size that never move, numbered from 0, in blocks; new rows are all ones in every bit.
// At() may run on any thread for a row whose number reached it after Grow() made it; Grow() needs one caller at a time.
class BlockStore {
 public:
  BlockStore(size_t row_bytes, base::MemoryResource& memory);

  // At least `rows` exist afterwards. ResourceExhausted when memory has no room; nothing changes then.
  base::Status Grow(size_t rows);
  size_t size() const { return blocks_ << shift_; }

  std::byte* At(uint32_t row) const {
    return table_.load(std::memory_order_acquire)[row >> shift_] + (row & mask_) * row_bytes_;
  }

  size_t memory_bytes() const;

 private:
  using Table = std::vector<std::byte*>;

  void MakeRoomInTable(size_t blocks);
  void AskForHugePages(const base::Buffer& chunk);

  base::MemoryResource& memory_;
  const size_t row_bytes_;
  const unsigned shift_;
  const uint32_t mask_;
  size_t blocks_ = 0;
  uintptr_t run_begin_ = 0;  // the pages of the last chunks that lie side by side
  uintptr_t run_end_ = 0;
  std::vector<base::Buffer> chunks_;            // of one or more blocks each
  std::vector<std::unique_ptr<Table>> tables_;  // the last one is current; a reader may still be in an older one
  std::atomic<std::byte* const*> table_{nullptr};
};

}  // namespace redoubt::vector
