#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace redoubt::backends {

using Bytes = std::span<const uint8_t>;

inline std::string_view TextOf(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// One field of a serialized protobuf message: https://protobuf.dev/programming-guides/encoding/
struct Field {
  uint32_t number = 0;
  bool is_bytes = false;   // wire type 2: a message, a string or packed numbers
  bool is_varint = false;  // wire type 0
  uint64_t varint = 0;
  Bytes bytes;
};

// The fields of one message, in order. Stricter than protobuf's own parser where that would guess: groups, numbers out
// of range and lengths beyond the end throw std::invalid_argument, so that nothing it would read is passed over here.
class MessageReader {
 public:
  explicit MessageReader(Bytes message) : rest_(message) {}
  // False at the end.
  bool Next(Field* field);

 private:
  uint64_t Varint();
  Bytes Take(uint64_t size);

  Bytes rest_;
};

// Calls visit(field) for every field with bytes.
template <class Visit>
void ForEachBytes(Bytes message, Visit visit) {
  MessageReader reader(message);
  Field field;
  while (reader.Next(&field)) {
    if (field.is_bytes) visit(field);
  }
}

// The other way round, for the few messages that we hand to a vendor.
std::string VarintField(int number, uint64_t value);
std::string BytesField(int number, std::string_view bytes);

}  // namespace redoubt::backends
