#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"

namespace redoubt::embed {

// The vectors of a model's tokens, mapped from disk: only the rows that texts really use occupy memory, and the kernel
// may take them back. File: one record per token, little-endian float32 scale, float32 offset, then `dim` bytes;
// value = byte * scale + offset. Immutable; safe on many threads. The file must not be cut while it is open.
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

  // Writes the vector of `row` (< rows()) to `out` (dim() floats).
  void Read(size_t row, std::span<float> out) const;

 private:
  RowTable(const uint8_t* data, size_t rows, size_t dim) : data_(data), rows_(rows), dim_(dim) {}

  const uint8_t* data_ = nullptr;
  size_t rows_ = 0;
  size_t dim_ = 0;
};

}  // namespace redoubt::embed
