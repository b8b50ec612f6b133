#pragma once

#include <string>

#include "base/result.h"

namespace redoubt {

// The data folder, made for its owner alone and held by one redoubt at a time.
class DataFolder {
 public:
  // Makes it when missing. FailedPrecondition when another redoubt holds it.
  static base::Result<DataFolder> Open(const std::string& path);
  DataFolder(DataFolder&& other) noexcept;
  DataFolder& operator=(DataFolder&&) = delete;
  ~DataFolder();

  std::string File(const char* name) const { return path_ + "/" + name; }

 private:
  DataFolder(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_;  // of the lock file
};

}  // namespace redoubt
