#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/memory.h"
#include "base/result.h"
#include "module/host/api.h"

namespace redoubt::host {

// Reads the fields of a value from an RDB file or a RESTORE payload; hostile bytes answer DataLoss. An interface, so
// that the readers of values can be fuzzed without a server.
class RdbReader {
 public:
  virtual ~RdbReader() = default;
  virtual base::Result<uint64_t> Unsigned() = 0;
  virtual base::Result<int64_t> Signed() = 0;
  virtual base::Result<double> Double() = 0;
  virtual base::Result<base::Buffer> Bytes() = 0;

  // Bytes() as text.
  base::Result<std::string> Text();
  // Unsigned() that is at most `limit`; `what` names it in the error.
  base::Result<uint64_t> UnsignedUpTo(uint64_t limit, std::string_view what);
};

class ServerRdbReader final : public RdbReader {
 public:
  explicit ServerRdbReader(RedisModuleIO* io) : io_(io) {}
  base::Result<uint64_t> Unsigned() override;
  base::Result<int64_t> Signed() override;
  base::Result<double> Double() override;
  base::Result<base::Buffer> Bytes() override;

 private:
  RedisModuleIO* io_;
};

// Writes what ServerRdbReader reads. May run in the forked child: takes no lock, allocates nothing of ours.
class RdbWriter {
 public:
  explicit RdbWriter(RedisModuleIO* io) : io_(io) {}
  void Unsigned(uint64_t value) { RedisModule_SaveUnsigned(io_, value); }
  void Signed(int64_t value) { RedisModule_SaveSigned(io_, value); }
  void Double(double value) { RedisModule_SaveDouble(io_, value); }
  void Bytes(std::span<const std::byte> bytes) {
    RedisModule_SaveStringBuffer(io_, reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void Text(std::string_view text) { RedisModule_SaveStringBuffer(io_, text.data(), text.size()); }

 private:
  RedisModuleIO* io_;
};

}  // namespace redoubt::host
