#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::cluster {

// Builds the body of a message between nodes: numbers of fixed width, little-endian, and texts with their length.
class WireWriter {
 public:
  void Byte(uint8_t value) { bytes_ += static_cast<char>(value); }
  void Number(uint64_t value);
  void Double(double value);
  void Text(std::string_view text);
  void Raw(std::string_view bytes) { bytes_ += bytes; }
  size_t size() const { return bytes_.size(); }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what WireWriter wrote. Bytes that end too early answer DataLoss; nothing beyond them is read. Borrows them.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : bytes_(bytes) {}

  base::Result<uint8_t> Byte();
  base::Result<uint64_t> Number();
  // A Number() of things that take at least `item_bytes` each of what is left.
  base::Result<size_t> Count(size_t item_bytes);
  base::Result<double> Double();
  base::Result<std::string_view> Text();
  std::string_view rest() const { return bytes_; }

 private:
  base::Result<std::string_view> Take(size_t size);

  std::string_view bytes_;
};

}  // namespace redoubt::cluster
