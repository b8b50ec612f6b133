#pragma once

#include <cstdint>
#include <filesystem>

#include "backends/common/protobuf.h"

namespace redoubt::backends::tf {

// A new folder under the system's temporary folder that only this user can enter; removed with all that is in it.
class PrivateFolder {
 public:
  // Throws std::runtime_error.
  PrivateFolder();
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Whether the bytes are a tar archive (POSIX or GNU form), plain or compressed with gzip.
bool IsArchive(Bytes blob);

// Writes the files of such an archive into `folder`, which is empty, and nothing outside of it: names that lead out of
// it, links, devices, more than `kMaxFiles` files, and a content that grows to more than `max_bytes` throw
// std::invalid_argument. Returns how many bytes were written.
inline constexpr int kMaxFiles = 10'000;
uint64_t Unpack(Bytes blob, const std::filesystem::path& folder, uint64_t max_bytes);

}  // namespace redoubt::backends::tf
