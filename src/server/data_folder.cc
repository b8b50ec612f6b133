#include "server/data_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace redoubt {

base::Result<DataFolder> DataFolder::Open(const std::string& path) {
  std::error_code error;
  bool fresh = std::filesystem::create_directories(path, error);
  if (error) return base::PermissionDenied(fmt::format("cannot make the data folder {}: {}", path, error.message()));
  if (fresh) chmod(path.c_str(), 0700);
  int fd = open((path + "/redoubt.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return base::PermissionDenied(fmt::format("cannot write in the data folder {}: {}", path, std::strerror(errno)));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return base::FailedPrecondition(
        fmt::format("another redoubt uses {}: stop it, or give this one its own folder with --data", path));
  }
  return DataFolder(path, fd);
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

DataFolder::~DataFolder() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace redoubt
