#include "module/ai/model_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/contained_path.h"

namespace redoubt::ai {
namespace {

base::Status Failed(const std::string& path, const char* what) {
  return base::InvalidArgument(fmt::format("ERR cannot read the model file {}: {}", path, what));
}

class File {
 public:
  // Not waiting for a writer, should it be a pipe.
  explicit File(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

base::Result<base::Buffer> ReadModelFile(const std::string& directory, const std::string& path,
                                         base::MemoryResource& memory) {
  base::Result<std::string> real = base::ContainedPath(directory, path);
  if (!real.ok()) return base::InvalidArgument("ERR FILE: " + real.status().message());
  const File file(*real);
  struct stat about {};
  if (file.fd() < 0 || fstat(file.fd(), &about) != 0) return Failed(path, std::strerror(errno));
  if (!S_ISREG(about.st_mode)) return Failed(path, "it is not a regular file");
  base::Result<base::Buffer> blob = base::Buffer::Create(static_cast<size_t>(about.st_size), memory);
  if (!blob.ok()) return base::ResourceExhausted("OOM " + blob.status().message());
  for (size_t at = 0; at < blob->size();) {
    const ssize_t got = read(file.fd(), blob->data() + at, blob->size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed(path, std::strerror(errno));
    if (got == 0) return Failed(path, "it became shorter while it was read");
    at += static_cast<size_t>(got);
  }
  return blob;
}

}  // namespace redoubt::ai
