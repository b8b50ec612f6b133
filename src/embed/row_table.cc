#include "embed/row_table.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace redoubt::embed {
namespace {

constexpr size_t kPrefixBytes = 2 * sizeof(float);

size_t RecordBytes(size_t dim) { return kPrefixBytes + dim; }

}  // namespace

base::Result<RowTable> RowTable::Open(const std::string& path, size_t rows, size_t dim) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return base::NotFound("cannot open " + path + ": " + std::strerror(errno));
  struct stat info {};
  const size_t expected = rows * RecordBytes(dim);
  if (::fstat(file, &info) != 0 || static_cast<size_t>(info.st_size) != expected || expected == 0) {
    ::close(file);
    return base::DataLoss(path + " is not " + std::to_string(expected) +
                          " bytes long: delete the model's folder and run tools/setup/fetch again");
  }
  void* data = ::mmap(nullptr, expected, PROT_READ, MAP_SHARED, file, 0);
  const int error = errno;
  ::close(file);
  if (data == MAP_FAILED) return base::ResourceExhausted("cannot map " + path + ": " + std::strerror(error));
  // Rows are read here and there: reading ahead would fill memory with rows that no text uses.
  ::madvise(data, expected, MADV_RANDOM);
  return RowTable(static_cast<const uint8_t*>(data), rows, dim);
}

RowTable::RowTable(RowTable&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), rows_(other.rows_), dim_(other.dim_) {}

RowTable& RowTable::operator=(RowTable&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(rows_, other.rows_);
  std::swap(dim_, other.dim_);
  return *this;
}

RowTable::~RowTable() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), rows_ * RecordBytes(dim_));
}

void RowTable::Read(size_t row, std::span<float> out) const {
  CHECK(row < rows_ && out.size() == dim_);
  const uint8_t* record = data_ + row * RecordBytes(dim_);
  float scale = 0, offset = 0;
  std::memcpy(&scale, record, sizeof scale);
  std::memcpy(&offset, record + sizeof scale, sizeof offset);
  const uint8_t* values = record + kPrefixBytes;
  for (size_t i = 0; i < dim_; ++i) out[i] = static_cast<float>(values[i]) * scale + offset;
}

}  // namespace redoubt::embed
