#include "backends/common/protobuf.h"

#include <stdexcept>

namespace redoubt::backends {
namespace {

[[noreturn]] void Damaged() { throw std::invalid_argument("not a protobuf message"); }

std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}

}  // namespace

uint64_t MessageReader::Varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
    const uint8_t byte = rest_.front();
    rest_ = rest_.subspan(1);
    if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  Damaged();
}

Bytes MessageReader::Take(uint64_t size) {
  if (size > rest_.size()) Damaged();
  const Bytes taken = rest_.first(static_cast<size_t>(size));
  rest_ = rest_.subspan(static_cast<size_t>(size));
  return taken;
}

bool MessageReader::Next(Field* field) {
  if (rest_.empty()) return false;
  const uint64_t tag = Varint();
  if (tag > UINT32_MAX || tag >> 3 == 0) Damaged();
  *field = Field{};
  field->number = static_cast<uint32_t>(tag >> 3);
  switch (tag & 7) {
    case 0:
      field->is_varint = true;
      field->varint = Varint();
      return true;
    case 1:
      (void)Take(8);
      return true;
    case 2:
      field->is_bytes = true;
      field->bytes = Take(Varint());
      return true;
    case 5:
      (void)Take(4);
      return true;
    default:
      Damaged();
  }
}

std::string VarintField(int number, uint64_t value) {
  return Varint(static_cast<uint64_t>(number) << 3) + Varint(value);
}

std::string BytesField(int number, std::string_view bytes) {
  return (Varint(static_cast<uint64_t>(number) << 3 | 2) + Varint(bytes.size())).append(bytes);
}

}  // namespace redoubt::backends
