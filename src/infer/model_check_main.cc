// redoubt_model_check BACKEND BACKEND_FILE SECONDS MEGABYTES N input... N output...
//
// Loads the model that is open as descriptor 0 and writes on descriptor 3 how that went: "+"; "-" and the vendor's
// words; or "!" and what became of the load. Started by ModelCheck; ends with the thread that did so.
//
// Two processes, because the server may take the exit status of its child before ModelCheck sees it: the first one
// waits for the second one, which loads.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "infer/model.h"

namespace {

using redoubt::infer::BackendRegistry;
using redoubt::infer::Model;
using redoubt::infer::ModelSpec;

constexpr int kAnswer = 3;

// The second process; 0 in itself.
volatile pid_t loading = 0;

// The address space of a sanitized process has no size worth a limit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitMemory = false;
#else
constexpr bool kLimitMemory = true;
#endif

[[noreturn]] void Answer(const std::string& text) {
  const ssize_t written = pwrite(kAnswer, text.data(), text.size(), 0);
  // Not by way of the vendor's destructors: nothing of theirs matters any more.
  _exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
}

void Limit(long seconds, long megabytes) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const auto bytes = static_cast<rlim_t>(megabytes) << 20;
  const rlimit memory{bytes, bytes};
  if (kLimitMemory && megabytes > 0) setrlimit(RLIMIT_AS, &memory);
  alarm(static_cast<unsigned>(seconds));
  // Where the machine has no memory left, rather this process than the server.
  const int score = open("/proc/self/oom_score_adj", O_WRONLY);
  if (score >= 0) {
    [[maybe_unused]] const ssize_t written = write(score, "1000", 4);
    close(score);
  }
}

// Names behind their number, from argv[at] on.
std::vector<std::string> Names(int argc, char** argv, int* at) {
  std::vector<std::string> names;
  if (*at >= argc) return names;
  const long count = std::atol(argv[(*at)++]);
  for (long i = 0; i < count && *at < argc; ++i) names.emplace_back(argv[(*at)++]);
  return names;
}

std::span<const std::byte> Blob() {
  struct stat about {};
  if (fstat(0, &about) != 0 || about.st_size == 0) return {};
  const auto size = static_cast<size_t>(about.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, 0, 0);
  if (data == MAP_FAILED) Answer(fmt::format("!no room for its {} bytes (ai.validate-memory)", size));
  return {static_cast<const std::byte*>(data), size};
}

[[noreturn]] void Load(int argc, char** argv) {
  ModelSpec spec;
  spec.backend = argv[1];
  int at = 5;
  spec.inputs = Names(argc, argv, &at);
  spec.outputs = Names(argc, argv, &at);
  spec.blob = Blob();
  const std::string file = argv[2];
  BackendRegistry registry(
      {.directory = std::filesystem::path(file).parent_path().string(), .threads = 1, .inter_op_threads = 1});
  const std::string limit = fmt::format(" (ai.validate-memory: {} MB)", argv[4]);
  if (const auto loaded = registry.LoadFrom(spec.backend, file); !loaded.ok()) Answer("!" + loaded.message() + limit);
  const auto model = Model::Build(registry, spec);
  if (model.ok()) Answer("+");
  const std::string words = model.status().message();
  const bool no_memory = model.status().code() == redoubt::base::StatusCode::kResourceExhausted ||
                         words.find("std::bad_alloc") != std::string::npos;
  Answer("-" + words + (no_memory ? limit : ""));
}

std::string HowItDied(int status, std::string_view seconds) {
  if (WIFEXITED(status)) return fmt::format("exit status {}", WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  if (signal == SIGALRM) return fmt::format("it took longer than {} s (ai.validate-timeout)", seconds);
  return fmt::format("{} (signal {})", sigdescr_np(signal), signal);
}

// A folder for what backends unpack: a load that dies does not tidy up.
std::string MakeTemporaryFolder() {
  std::error_code error;
  std::string folder = (std::filesystem::temp_directory_path(error) / "redoubt-model-check-XXXXXX").string();
  if (error || mkdtemp(folder.data()) == nullptr) return "";
  setenv("TMPDIR", folder.c_str(), 1);
  return folder;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  // Without the server nobody wants the answer, but the folder is removed.
  std::signal(SIGTERM, [](int) {
    if (loading > 0) kill(loading, SIGKILL);
  });
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  const std::string folder = MakeTemporaryFolder();
  loading = fork();
  if (loading < 0) Answer(fmt::format("!{}", std::strerror(errno)));
  if (loading == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Limit(std::atol(argv[3]), std::atol(argv[4]));
    Load(argc, argv);
  }
  int status = 0;
  while (waitpid(loading, &status, 0) < 0 && errno == EINTR) {
  }
  std::error_code error;
  if (!folder.empty()) std::filesystem::remove_all(folder, error);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) Answer("!" + HowItDied(status, argv[3]));
  return 0;
}
