#include "module/host/rdb.h"

#include <fmt/core.h>

#include <cstring>
#include <string>

#include "module/host/server_memory.h"

namespace redoubt::host {
namespace {

base::Status Truncated() { return base::DataLoss("the value ends too early or a field has another type"); }

}  // namespace

base::Result<std::string> RdbReader::Text() {
  ASSIGN_OR_RETURN(base::Buffer bytes, Bytes());
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

base::Result<uint64_t> RdbReader::UnsignedUpTo(uint64_t limit, std::string_view what) {
  ASSIGN_OR_RETURN(const uint64_t value, Unsigned());
  if (value > limit) return base::DataLoss(fmt::format("{} is {}, more than {}", what, value, limit));
  return value;
}

base::Result<uint64_t> ServerRdbReader::Unsigned() {
  const uint64_t value = RedisModule_LoadUnsigned(io_);
  if (RedisModule_IsIOError(io_) != 0) return Truncated();
  return value;
}

base::Result<int64_t> ServerRdbReader::Signed() {
  const int64_t value = RedisModule_LoadSigned(io_);
  if (RedisModule_IsIOError(io_) != 0) return Truncated();
  return value;
}

base::Result<double> ServerRdbReader::Double() {
  const double value = RedisModule_LoadDouble(io_);
  if (RedisModule_IsIOError(io_) != 0) return Truncated();
  return value;
}

base::Result<base::Buffer> ServerRdbReader::Bytes() {
  size_t size = 0;
  char* loaded = RedisModule_LoadStringBuffer(io_, &size);
  if (loaded == nullptr || RedisModule_IsIOError(io_) != 0) {
    if (loaded != nullptr) RedisModule_Free(loaded);
    return Truncated();
  }
  base::Result<base::Buffer> buffer = base::Buffer::Create(size, ServerMemory());
  if (buffer.ok() && size > 0) std::memcpy(buffer->data(), loaded, size);
  RedisModule_Free(loaded);
  return buffer;
}

}  // namespace redoubt::host
