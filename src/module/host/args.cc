#include "module/host/args.h"

#include <cctype>

namespace redoubt::host {

std::string_view Args::operator[](size_t i) const {
  size_t length = 0;
  const char* text = RedisModule_StringPtrLen(argv_[i], &length);
  return {text, length};
}

bool Args::Is(size_t i, std::string_view upper) const {
  if (i >= argc_) return false;
  const std::string_view word = (*this)[i];
  if (word.size() != upper.size()) return false;
  for (size_t c = 0; c < word.size(); ++c) {
    if (std::toupper(static_cast<unsigned char>(word[c])) != upper[c]) return false;
  }
  return true;
}

std::optional<int64_t> Args::Integer(size_t i) const {
  long long value = 0;
  if (i >= argc_ || RedisModule_StringToLongLong(argv_[i], &value) != REDISMODULE_OK) return std::nullopt;
  return value;
}

std::optional<double> Args::Double(size_t i) const {
  double value = 0;
  if (i >= argc_ || RedisModule_StringToDouble(argv_[i], &value) != REDISMODULE_OK) return std::nullopt;
  return value;
}

}  // namespace redoubt::host
