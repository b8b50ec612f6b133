#include <cstdint>
#include <cstring>

#include "module/ai/model_value.h"
#include "module/ai/script_value.h"
#include "module/ai/tensor_rdb.h"

namespace {

using redoubt::base::Buffer;
using redoubt::base::DataLoss;
using redoubt::base::Result;

// Makes fields of the fuzzer's bytes; as the server does, it never hands out more bytes than there are.
class FuzzReader final : public redoubt::host::RdbReader {
 public:
  FuzzReader(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  Result<uint64_t> Unsigned() override {
    uint64_t value = 0;
    // One byte in most cases, eight when it says so: small and huge numbers are both likely.
    const size_t width = size_ > 0 && *data_ == 0xff ? 9 : 1;
    if (size_ < width) return DataLoss("end");
    std::memcpy(&value, data_ + width / 9, width == 9 ? 8 : 1);
    Skip(width);
    return value;
  }
  Result<int64_t> Signed() override {
    ASSIGN_OR_RETURN(const uint64_t value, Unsigned());
    return static_cast<int64_t>(value);
  }
  Result<double> Double() override { return 0.0; }
  Result<Buffer> Bytes() override {
    ASSIGN_OR_RETURN(const uint64_t length, Unsigned());
    if (length > size_) return DataLoss("end");
    ASSIGN_OR_RETURN(Buffer buffer, Buffer::Create(length, redoubt::base::DefaultMemory()));
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

}  // namespace

// Input: which value, its version, then fields.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  FuzzReader reader(data + 2, size - 2);
  const int version = data[1] % 7;
  if (data[0] % 3 == 0) {
    (void)redoubt::ai::LoadScriptSource(reader, version);
  } else if (data[0] % 3 == 1) {
    (void)redoubt::ai::LoadTensor(reader, version, redoubt::base::DefaultMemory());
  } else {
    (void)redoubt::ai::LoadModelSource(reader, version, redoubt::base::DefaultMemory());
  }
  return 0;
}
