#include "base/section.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace redoubt::base {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers of a section are copied as they lie in memory");

// Every step can be undone, so two chunks that differ in one word never come to the same sum.
uint64_t Mixed(uint64_t sum, uint64_t word) {
  sum = (sum ^ word) * 0x9e3779b97f4a7c15;
  return sum ^ sum >> 32;
}

uint64_t Checksum(uint64_t sum, std::span<const std::byte> chunk) {
  sum = Mixed(sum, chunk.size());
  for (size_t at = 0; at < chunk.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, chunk.data() + at, std::min(sizeof(word), chunk.size() - at));
    sum = Mixed(sum, word);
  }
  return sum;
}

}  // namespace

void SectionWriter::Bytes(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const size_t taken = std::min(bytes.size(), kChunkBytes - chunk_.size());
    chunk_.insert(chunk_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    if (chunk_.size() == kChunkBytes) Flush();
  }
}

void SectionWriter::Flush() {
  if (chunk_.empty()) return;
  checksum_ = Checksum(checksum_, chunk_);
  sink_(chunk_);
  chunk_.clear();
}

void SectionWriter::Finish() {
  Flush();
  sink_({});
  sink_(std::as_bytes(std::span(&checksum_, 1)));
}

bool SectionReader::NextChunk() {
  if (ended_ || !source_status_.ok()) return false;
  Result<Buffer> chunk = source_();
  if (!chunk.ok()) {
    source_status_ = chunk.status();
    return false;
  }
  chunk_ = std::move(*chunk);
  at_ = 0;
  if (chunk_.size() > 0) {
    checksum_ = Checksum(checksum_, chunk_.span());
    return true;
  }
  ended_ = true;
  Result<Buffer> sum = source_();
  if (!sum.ok()) {
    source_status_ = sum.status();
  } else {
    fits_ = sum->size() == sizeof(checksum_) && std::memcmp(sum->data(), &checksum_, sizeof(checksum_)) == 0;
  }
  return false;
}

void SectionReader::Bytes(std::span<std::byte> out) {
  size_t done = 0;
  while (!failed_ && done < out.size()) {
    if (at_ == chunk_.size() && !NextChunk()) {
      failed_ = true;
      break;
    }
    const size_t taken = std::min(out.size() - done, chunk_.size() - at_);
    std::memcpy(out.data() + done, chunk_.data() + at_, taken);
    at_ += taken;
    done += taken;
  }
  if (failed_) std::fill(out.begin(), out.end(), std::byte{0});
}

std::string SectionReader::Text(size_t size) {
  constexpr size_t kPiece = 64 * 1024;
  std::string text;
  while (!failed_ && text.size() < size) {
    const size_t before = text.size();
    text.resize(std::min(size, before + kPiece));
    Bytes(std::as_writable_bytes(std::span(text).subspan(before)));
  }
  if (failed_) text.clear();
  return text;
}

Status SectionReader::Finish() {
  const bool read = !failed_ && at_ == chunk_.size() && !NextChunk();
  if (read && ended_ && fits_) return OkStatus();
  failed_ = true;
  return DataLoss(read && ended_ ? "its checksum does not fit" : "it ends elsewhere than it should");
}

Status SectionReader::Skip() {
  while (NextChunk()) {
  }
  at_ = chunk_.size();
  return source_status_;
}

}  // namespace redoubt::base
