#include "embed/row_table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace redoubt::embed {
namespace {

constexpr size_t kPrefixBytes = 2 * sizeof(float);

size_t RecordBytes(size_t dim) { return kPrefixBytes + dim; }

}  // namespace

base::Result<RowTable> RowTable::Open(const std::string& path, size_t rows, size_t dim) {
  CHECK(dim <= kMaxDim);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return base::NotFound("cannot open " + path + ": " + std::strerror(errno));
  RowTable table(file, rows, dim);
  struct stat info {};
  const size_t expected = rows * RecordBytes(dim);
  if (::fstat(file, &info) != 0 || static_cast<size_t>(info.st_size) != expected || expected == 0) {
    return base::DataLoss(path + " is not " + std::to_string(expected) +
                          " bytes long: delete the model's folder and run tools/setup/fetch again");
  }
  return table;
}

RowTable::RowTable(RowTable&& other) noexcept
    : file_(std::exchange(other.file_, -1)), rows_(other.rows_), dim_(other.dim_) {}

RowTable& RowTable::operator=(RowTable&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(rows_, other.rows_);
  std::swap(dim_, other.dim_);
  return *this;
}

RowTable::~RowTable() {
  if (file_ >= 0) ::close(file_);
}

base::Status RowTable::Read(size_t row, std::span<float> out) const {
  CHECK(row < rows_ && out.size() == dim_);
  std::array<uint8_t, kPrefixBytes + kMaxDim> record;
  const size_t wanted = RecordBytes(dim_);
  ssize_t got = 0;
  do {
    got = ::pread(file_, record.data(), wanted, static_cast<off_t>(row * wanted));
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(wanted)) {
    return base::DataLoss("the embedding model's rows.bin cannot be read: run tools/setup/fetch again and restart");
  }
  float scale = 0, offset = 0;
  std::memcpy(&scale, record.data(), sizeof scale);
  std::memcpy(&offset, record.data() + sizeof scale, sizeof offset);
  const uint8_t* values = record.data() + kPrefixBytes;
  for (size_t i = 0; i < dim_; ++i) out[i] = static_cast<float>(values[i]) * scale + offset;
  return base::OkStatus();
}

}  // namespace redoubt::embed
