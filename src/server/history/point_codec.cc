#include "server/history/point_codec.h"

#include <bit>
#include <cstring>

namespace redoubt::history {
namespace {

static_assert(std::endian::native == std::endian::little, "the stored form is little-endian");
constexpr size_t kEntryBytes = sizeof(uint16_t) + sizeof(double);

}  // namespace

std::string EncodeValues(const MetricValues& values) {
  std::string bytes(values.size() * kEntryBytes, '\0');
  char* out = bytes.data();
  for (const auto& [metric, value] : values) {
    uint16_t number = static_cast<uint16_t>(metric);
    std::memcpy(out, &number, sizeof(number));
    std::memcpy(out + sizeof(number), &value, sizeof(value));
    out += kEntryBytes;
  }
  return bytes;
}

MetricValues DecodeValues(std::string_view bytes) {
  MetricValues values;
  values.reserve(bytes.size() / kEntryBytes);
  for (; bytes.size() >= kEntryBytes; bytes.remove_prefix(kEntryBytes)) {
    uint16_t number;
    double value;
    std::memcpy(&number, bytes.data(), sizeof(number));
    std::memcpy(&value, bytes.data() + sizeof(number), sizeof(value));
    values.emplace_back(number, value);
  }
  return values;
}

}  // namespace redoubt::history
