#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/memory.h"
#include "base/result.h"

namespace redoubt::base {

// A long run of numbers and bytes in a file: chunks, an empty chunk, and a chunk of eight bytes, the checksum of all
// chunks. Numbers are little-endian. Who cannot use what it says can skip it, because the chunks have an end.

// Takes one chunk of bytes.
using SectionSink = std::function<void(std::span<const std::byte>)>;
// Answers one chunk after another; an error when the file itself cannot be read on.
using SectionSource = std::function<Result<Buffer>()>;

// Takes no lock, so that it may run in a forked child.
class SectionWriter {
 public:
  static constexpr size_t kChunkBytes = 256 * 1024;

  explicit SectionWriter(SectionSink sink) : sink_(std::move(sink)) { chunk_.reserve(kChunkBytes); }

  template <class T>
  void Number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    Bytes(std::as_bytes(std::span(&value, 1)));
  }
  void Bytes(std::span<const std::byte> bytes);
  // Nothing may follow.
  void Finish();

 private:
  void Flush();

  SectionSink sink_;
  std::vector<std::byte> chunk_;
  uint64_t checksum_ = 0;
};

// Reads a section that may be damaged or made to do harm: what it hands out is never more than what was in the file.
// After a failure every number is 0 and every byte too; ask failed() before anything is made of them.
class SectionReader {
 public:
  explicit SectionReader(SectionSource source) : source_(std::move(source)) {}

  template <class T>
  T Number() {
    static_assert(std::is_arithmetic_v<T>);
    T value = 0;
    Bytes(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }
  void Bytes(std::span<std::byte> out);
  // Takes memory only as the bytes come.
  std::string Text(size_t size);

  bool failed() const { return failed_; }

  // The section ends here: DataLoss when it does not, or when its checksum is another one.
  Status Finish();
  // Reads the rest of a section, whatever it says. The error is that of the source.
  Status Skip();

 private:
  bool NextChunk();

  SectionSource source_;
  Buffer chunk_;
  size_t at_ = 0;
  bool ended_ = false;  // the checksum has been read
  bool failed_ = false;
  bool fits_ = false;  // the checksum
  Status source_status_;
  uint64_t checksum_ = 0;
};

}  // namespace redoubt::base
