#include "module/cluster/wire.h"

#include <bit>

namespace redoubt::cluster {

void WireWriter::Number(uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>(value >> shift & 0xff);
}

void WireWriter::Double(double value) { Number(std::bit_cast<uint64_t>(value)); }

void WireWriter::Text(std::string_view text) {
  Number(text.size());
  bytes_ += text;
}

base::Result<std::string_view> WireReader::Take(size_t size) {
  if (size > bytes_.size()) return base::DataLoss("a message of another node ends too early");
  std::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

base::Result<uint8_t> WireReader::Byte() {
  ASSIGN_OR_RETURN(std::string_view byte, Take(1));
  return static_cast<uint8_t>(byte[0]);
}

base::Result<uint64_t> WireReader::Number() {
  ASSIGN_OR_RETURN(std::string_view bytes, Take(8));
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return value;
}

base::Result<size_t> WireReader::Count(size_t item_bytes) {
  ASSIGN_OR_RETURN(uint64_t count, Number());
  if (count > bytes_.size() / item_bytes) return base::DataLoss("a message of another node counts more than it holds");
  return static_cast<size_t>(count);
}

base::Result<double> WireReader::Double() {
  ASSIGN_OR_RETURN(uint64_t bits, Number());
  return std::bit_cast<double>(bits);
}

base::Result<std::string_view> WireReader::Text() {
  ASSIGN_OR_RETURN(size_t size, Count(1));
  return Take(size);
}

}  // namespace redoubt::cluster
