#pragma once

#include <cstdint>
#include <cstring>

#include "module/host/rdb.h"

namespace redoubt::host {

// Makes fields of the fuzzer's bytes; as the server does, it never hands out more bytes than there are.
class FuzzReader final : public RdbReader {
 public:
  FuzzReader(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  base::Result<uint64_t> Unsigned() override {
    uint64_t value = 0;
    // One byte in most cases, eight when it says so: small and huge numbers are both likely.
    const size_t width = size_ > 0 && *data_ == 0xff ? 9 : 1;
    if (size_ < width) return base::DataLoss("end");
    std::memcpy(&value, data_ + width / 9, width == 9 ? 8 : 1);
    Skip(width);
    return value;
  }
  base::Result<int64_t> Signed() override {
    ASSIGN_OR_RETURN(const uint64_t value, Unsigned());
    return static_cast<int64_t>(value);
  }
  base::Result<double> Double() override { return 0.0; }
  base::Result<base::Buffer> Bytes() override {
    ASSIGN_OR_RETURN(const uint64_t length, Unsigned());
    if (length > size_) return base::DataLoss("end");
    ASSIGN_OR_RETURN(base::Buffer buffer, base::Buffer::Create(length, base::DefaultMemory()));
    if (length > 0) std::memcpy(buffer.data(), data_, length);
    Skip(length);
    return buffer;
  }

 private:
  void Skip(size_t n) {
    data_ += n;
    size_ -= n;
  }

  const uint8_t* data_;
  size_t size_;
};

}  // namespace redoubt::host
