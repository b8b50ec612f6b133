#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"

namespace redoubt::embed {

// The vectors of a model's tokens, read from disk row by row: a text needs a few dozen of 90,000, and the kernel's page
// cache keeps those that many texts use. (Mapped instead, each row would count 64 KiB of resident memory, because a
// page fault brings its neighbours along.) File: one record per token, little-endian float32 scale, float32 offset,
// then `dim` bytes; value = byte * scale + offset. Immutable; safe on many threads.
class RowTable {
 public:
  // DataLoss when the file's size is not `rows` records of `dim` values.
  static base::Result<RowTable> Open(const std::string& path, size_t rows, size_t dim);

  RowTable(RowTable&& other) noexcept;
  RowTable& operator=(RowTable&& other) noexcept;
  RowTable(const RowTable&) = delete;
  RowTable& operator=(const RowTable&) = delete;
  ~RowTable();

  size_t rows() const { return rows_; }
  size_t dim() const { return dim_; }

  // Writes the vector of `row` (< rows()) to `out` (dim() floats). DataLoss when the file was cut meanwhile.
  base::Status Read(size_t row, std::span<float> out) const;

  static constexpr size_t kMaxDim = 4096;

 private:
  RowTable(int file, size_t rows, size_t dim) : file_(file), rows_(rows), dim_(dim) {}

  int file_ = -1;
  size_t rows_ = 0;
  size_t dim_ = 0;
};

}  // namespace redoubt::embed
