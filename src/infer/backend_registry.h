#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/memory.h"
#include "base/result.h"
#include "base/thread_annotations.h"
#include "infer/backend_api.h"

namespace redoubt::infer {

// A loaded backend: its C table and where it came from. Stays loaded for the life of the process.
class Backend {
 public:
  Backend(const redoubt_backend_v1* table, std::string path) : table_(table), path_(std::move(path)) {}
  const redoubt_backend_v1& table() const { return *table_; }
  std::string_view name() const { return table_->name; }
  std::string_view version() const { return table_->version; }
  const std::string& path() const { return path_; }

 private:
  const redoubt_backend_v1* table_;
  std::string path_;
};

// Finds and loads backends, each on first use, from one directory. Safe on many threads; a load takes tens of
// milliseconds and is done on the calling thread, so call Get() off the server's main thread.
// Never closes what it opened: vendor libraries do not survive that. Must itself live as long as the process.
class BackendRegistry {
 public:
  struct Options {
    std::string directory;     // where redoubt_onnx.so and the like lie; nothing outside of it is ever loaded
    int threads = 0;           // for one operator of a model; 0: the vendor's default
    int inter_op_threads = 0;  // for operators side by side
    int nice = 0;              // priority of the vendors' own threads, as in nice(1)
    base::Logger logger{};
    base::MemoryResource* memory = nullptr;  // null: base::DefaultMemory()
  };

  // While the program starts: sets environment variables that keep vendors' libraries from calling home and from
  // printing.
  explicit BackendRegistry(Options options);
  BackendRegistry(const BackendRegistry&) = delete;
  BackendRegistry& operator=(const BackendRegistry&) = delete;

  // "ONNX", "TF", "TFLITE", "TORCH" are names we know, in any case. NotFound for another word, Unavailable with the
  // reason when its shared object is missing or does not load.
  base::Result<const Backend*> Get(std::string_view name);

  // Loads `name` from a file inside Options::directory (relative paths start in directory(); links are followed before
  // the check). A file name of RedisAI's own backends ("redisai_torch/redisai_torch.so") stands for ours of that name.
  // PermissionDenied for another place, AlreadyExists when that backend is loaded already.
  base::Status LoadFrom(std::string_view name, const std::string& path);

  static bool IsKnown(std::string_view name);

  // Does not wait for a load in progress.
  std::vector<const Backend*> Loaded() const;
  base::MemoryResource& memory() const;
  // Where Get() looks: Options::directory, or what was set later. Setting it widens nothing: files outside of
  // Options::directory stay refused.
  std::string directory() const;
  void SetDirectory(std::string directory);

 private:
  // A file that may be loaded: its real path, inside Options::directory.
  base::Result<std::string> Allowed(const std::filesystem::path& path) const;
  base::Result<const Backend*> Load(const std::string& name, const std::string& path);

  const Backend* Find(std::string_view upper) const;

  Options options_;
  redoubt_host host_{};
  std::mutex loading_;  // one load at a time; held long, so that mu_ is not
  mutable std::mutex mu_;
  std::string directory_ GUARDED_BY(mu_);
  std::map<std::string, std::unique_ptr<Backend>, std::less<>> backends_ GUARDED_BY(mu_);
};

}  // namespace redoubt::infer
