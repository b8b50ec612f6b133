#include "infer/backend_registry.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/contained_path.h"
#include "infer/worker_threads.h"

namespace redoubt::infer {
namespace {

constexpr std::array<std::string_view, 4> kKnown = {"ONNX", "TF", "TFLITE", "TORCH"};

std::string Upper(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

std::string FileOf(const std::string& name) {
  std::string file = "redoubt_";
  for (char c : name) file += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return file + ".so";
}

struct HostUser {
  base::MemoryResource* memory;
  base::Logger logger;
  int nice;
};

void HostLog(void* user, int level, const char* message) {
  const base::Logger& logger = static_cast<HostUser*>(user)->logger;
  if (level >= 3) {
    logger.Error("{}", message);
  } else if (level == 2) {
    logger.Warning("{}", message);
  } else if (level == 1) {
    logger.Info("{}", message);
  } else {
    logger.Debug("{}", message);
  }
}

}  // namespace

BackendRegistry::BackendRegistry(Options options) : options_(std::move(options)), directory_(options_.directory) {
  // ONNX Runtime 1.31 reports its use to its maker, by a thread of its own and with files under ~/.cache, unless the
  // environment says no. Said here, while the program starts, because changing it later races with those who read it.
  setenv("ORT_DISABLE_TELEMETRY", "1", 1);
  // TensorFlow's errors come back as statuses; what it also prints would go to the server's standard error.
  setenv("TF_CPP_MIN_LOG_LEVEL", "3", 0);
  // The OpenMP threads under libtorch sleep between runs instead of spinning beside the server; an operator may differ.
  setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
  // Leaked on purpose: backends keep the pointer for as long as the process runs.
  auto* user = new HostUser{options_.memory != nullptr ? options_.memory : &base::DefaultMemory(), options_.logger,
                            options_.nice};
  host_.user = user;
  host_.allocate = [](void* u, uint64_t bytes) { return static_cast<HostUser*>(u)->memory->Allocate(bytes, 64); };
  host_.deallocate = [](void* u, void* p, uint64_t bytes) {
    static_cast<HostUser*>(u)->memory->Deallocate(p, bytes, 64);
  };
  host_.log = &HostLog;
  host_.thread_started = [](void* u) { BecomeWorker("ai-vendor", static_cast<HostUser*>(u)->nice); };
  host_.intra_op_threads = options_.threads;
  host_.inter_op_threads = options_.inter_op_threads;
}

bool BackendRegistry::IsKnown(std::string_view name) {
  const std::string upper = Upper(name);
  for (std::string_view known : kKnown) {
    if (known == upper) return true;
  }
  return false;
}

base::Result<const Backend*> BackendRegistry::Get(std::string_view name) {
  const std::string upper = Upper(name);
  if (!IsKnown(upper)) return base::NotFound(fmt::format("no backend is named '{}'", name));
  if (const Backend* backend = Find(upper)) return backend;
  std::lock_guard lock(loading_);
  if (const Backend* backend = Find(upper)) return backend;
  const std::string path = (std::filesystem::path(directory()) / FileOf(upper)).string();
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return base::Unavailable(fmt::format("{} is not part of this installation: {} does not exist", upper, path));
  }
  ASSIGN_OR_RETURN(const std::string allowed, Allowed(path));
  return Load(upper, allowed);
}

base::Status BackendRegistry::LoadFrom(std::string_view name, const std::string& path) {
  const std::string upper = Upper(name);
  if (!IsKnown(upper)) return base::NotFound(fmt::format("no backend is named '{}'", name));
  std::lock_guard lock(loading_);
  if (Find(upper) != nullptr) return base::AlreadyExists(fmt::format("{} is loaded already", upper));
  const bool redisais = std::filesystem::path(path).filename().string().starts_with("redisai_");
  ASSIGN_OR_RETURN(const std::string file,
                   Allowed(std::filesystem::path(directory()) / (redisais ? FileOf(upper) : path)));
  return Load(upper, file).status();
}

base::Result<std::string> BackendRegistry::Allowed(const std::filesystem::path& path) const {
  std::error_code error;
  return base::ContainedPath(options_.directory, std::filesystem::absolute(path, error).string());
}

base::Result<const Backend*> BackendRegistry::Load(const std::string& name, const std::string& path) {
  // LOCAL keeps vendors out of each other's symbols; DEEPBIND would break the C++ runtime's shared state.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return base::Unavailable(fmt::format("cannot load {}: {}", path, dlerror()));
  auto get = reinterpret_cast<redoubt_backend_get_fn>(dlsym(handle, REDOUBT_BACKEND_SYMBOL));
  if (get == nullptr)
    return base::Unavailable(fmt::format("{} is not a backend: {} is missing", path, REDOUBT_BACKEND_SYMBOL));
  const redoubt_backend_v1* table = get();
  if (table == nullptr || table->abi != REDOUBT_BACKEND_ABI || table->table_size < sizeof(redoubt_backend_v1)) {
    return base::Unavailable(fmt::format("{} was built for another version of Redoubt", path));
  }
  if (name != table->name)
    return base::Unavailable(fmt::format("{} is the backend {}, not {}", path, table->name, name));
  redoubt_error failure{};
  if (table->start(&host_, &failure) != REDOUBT_OK) {
    return base::Unavailable(fmt::format("{} does not start: {}", path, failure.message));
  }
  options_.logger.Info("backend {} {} loaded from {}", name, table->version, path);
  auto backend = std::make_unique<Backend>(table, path);
  const Backend* loaded = backend.get();
  std::lock_guard lock(mu_);
  backends_.emplace(name, std::move(backend));
  return loaded;
}

const Backend* BackendRegistry::Find(std::string_view upper) const {
  std::lock_guard lock(mu_);
  auto it = backends_.find(upper);
  return it == backends_.end() ? nullptr : it->second.get();
}

base::MemoryResource& BackendRegistry::memory() const {
  return options_.memory != nullptr ? *options_.memory : base::DefaultMemory();
}

std::vector<const Backend*> BackendRegistry::Loaded() const {
  std::lock_guard lock(mu_);
  std::vector<const Backend*> loaded;
  for (const auto& [name, backend] : backends_) loaded.push_back(backend.get());
  return loaded;
}

std::string BackendRegistry::directory() const {
  std::lock_guard lock(mu_);
  return directory_;
}

void BackendRegistry::SetDirectory(std::string directory) {
  std::lock_guard lock(mu_);
  directory_ = std::move(directory);
}

}  // namespace redoubt::infer
