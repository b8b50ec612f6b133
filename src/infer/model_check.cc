#include "infer/model_check.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

namespace redoubt::infer {
namespace {

// The program ends itself in time; this is for one that cannot (stopped by a signal, say).
constexpr int64_t kGraceSeconds = 5;
constexpr size_t kMaxAnswer = size_t{1} << 16;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

base::Status CannotCheck(const std::string& why) {
  return base::Internal(fmt::format("ERR the model could not be checked (ai.validate-models): {}", why));
}

// An empty file in memory. Its number is above those that the program is given, so that handing out one of them does
// not close it.
base::Result<Descriptor> MemoryFile() {
  const Descriptor low(memfd_create("redoubt-model-check", MFD_CLOEXEC));
  Descriptor file(low.ok() ? fcntl(low.get(), F_DUPFD_CLOEXEC, 10) : -1);
  if (!file.ok()) return CannotCheck(fmt::format("no file in memory: {}", std::strerror(errno)));
  return file;
}

base::Status WriteAll(const Descriptor& file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return CannotCheck(fmt::format("no memory for a copy: {}", std::strerror(errno)));
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return base::OkStatus();
}

std::string ReadAnswer(const Descriptor& file) {
  std::string text(kMaxAnswer, '\0');
  const ssize_t size = pread(file.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return text;
}

// The program's descriptors: 0 the model, 3 its answer, 1 and 2 nowhere, and none of the server's.
class SpawnSetup {
 public:
  SpawnSetup(const Descriptor& model, const Descriptor& answer) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_adddup2(&files_, model.get(), 0);
    posix_spawn_file_actions_addopen(&files_, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files_, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, answer.get(), 3);
    posix_spawn_file_actions_addclosefrom_np(&files_, 4);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);  // workers block signals
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  // 0 or an errno.
  int Start(const std::vector<std::string>& words, pid_t* pid) {
    std::vector<char*> pointers;
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    return posix_spawn(pid, pointers[0], &files_, &attributes_, pointers.data(), environ);
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

// Blocks until the process has ended; kills it after `seconds` and then returns false. While the server saves in a
// process of its own, it collects whichever child ends: ours may be gone here, with its exit status, at any time.
bool EndsWithin(pid_t pid, int64_t seconds) {
  // By number: glibc 2.36 declares these two for C only.
  const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process.ok()) {  // gone already; or a kernel without this call, then the program's own alarm must do
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return true;
  }
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + std::chrono::seconds(seconds);
  bool ended = false;
  while (!ended) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) break;
    pollfd ready{process.get(), POLLIN, 0};
    ended = poll(&ready, 1, static_cast<int>(std::min<int64_t>(left, 60'000))) > 0;
  }
  if (!ended) syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  siginfo_t about{};
  while (waitid(P_PIDFD, static_cast<id_t>(process.get()), &about, WEXITED) < 0 && errno == EINTR) {
  }
  return ended;
}

// The program's answer as the model's status.
base::Status ToStatus(const std::string& answer, bool ended, int64_t seconds) {
  if (answer == "+") return base::OkStatus();
  if (answer.starts_with('-')) return base::InvalidArgument(answer.substr(1));
  const std::string how = answer.starts_with('!') ? answer.substr(1)
                          : ended                 ? std::string("it ended without a word")
                                                  : fmt::format("killed, no answer within {} s", seconds);
  return base::InvalidArgument(fmt::format(
      "ERR the model was not loaded, the process that tried it first (ai.validate-models) failed: {}", how));
}

}  // namespace

base::Status ModelCheck::Check(const ModelSpec& spec) const {
  if (!on_) return base::OkStatus();
  ASSIGN_OR_RETURN(const Backend* backend, registry_.Get(spec.backend));
  ASSIGN_OR_RETURN(const Descriptor model, MemoryFile());
  RETURN_IF_ERROR(WriteAll(model, spec.blob));
  ASSIGN_OR_RETURN(const Descriptor answer, MemoryFile());

  const int64_t seconds = max_seconds_;
  std::vector<std::string> words = {program_, std::string(backend->name()), backend->path(), std::to_string(seconds),
                                    std::to_string(max_megabytes_)};
  for (const std::vector<std::string>* names : {&spec.inputs, &spec.outputs}) {
    words.push_back(std::to_string(names->size()));
    words.insert(words.end(), names->begin(), names->end());
  }
  pid_t pid = 0;
  if (const int error = SpawnSetup(model, answer).Start(words, &pid); error != 0) {
    return CannotCheck(fmt::format("{} does not start: {}", program_, std::strerror(error)));
  }
  const bool ended = EndsWithin(pid, seconds + kGraceSeconds);
  return ToStatus(ReadAnswer(answer), ended, seconds + kGraceSeconds);
}

}  // namespace redoubt::infer
