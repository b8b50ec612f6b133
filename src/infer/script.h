#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "infer/backend_registry.h"
#include "infer/built_later.h"
#include "infer/executor.h"
#include "infer/model_loader.h"
#include "tensor/tensor.h"

namespace redoubt::infer {

// What a script is made from. Only the backend TORCH has scripts.
struct ScriptSpec {
  std::string device = "CPU";  // upper case, see NormalizeDevice
  std::string_view source;     // borrowed: read while it is compiled
  std::shared_ptr<const void> source_owner;
  // Functions that must be there and take (tensors: List[Tensor], keys: List[str], args: List[str]).
  std::vector<std::string> entry_points;
};

struct ScriptFunction {
  std::string name;
  size_t parameter_count = 0;
  bool is_entry_point = false;  // takes (List[Tensor], List[str], List[str])
  std::string signature;
};

// The answer to a command that a script sent: a tree.
struct CommandReply {
  redoubt_reply_kind kind = REDOUBT_REPLY_NULL;
  std::string text;
  int64_t integer = 0;
  double number = 0;
  std::vector<CommandReply> elements;
};

// What a script may ask for while it runs; called on the thread that runs it, may block there.
class ScriptHost {
 public:
  virtual ~ScriptHost() = default;
  // redis.execute. An error reply of the server is an error here.
  virtual base::Result<CommandReply> Execute(std::span<const std::string_view> words) = 0;
  // redisAI.model_execute.
  virtual base::Result<Tensors> RunModel(std::string_view key, const Tensors& inputs) = 0;
  // Before the script runs: after `limit_ms` models that it runs are stopped where they can be; 0: no limit.
  virtual void Limit(int64_t limit_ms) = 0;
  // On any thread: what is being asked for, and all that follows, fails soon.
  virtual void Cancel() = 0;
};

struct ScriptCall {
  std::string function;
  Tensors tensors;
  // For functions that are no entry points: where their list of tensors begins; none: where the parameters say.
  std::optional<size_t> list_begin;
  std::vector<std::string> keys;
  std::vector<std::string> args;
};

// Compiled source. Run() may be called on many threads at once; it blocks its caller and cannot be stopped, but for
// what it asks of its host.
class Script {
 public:
  // Loads the backend when it is the first of its kind. Errors carry the vendor's text, or RedisAI's for entry points.
  static base::Result<std::shared_ptr<Script>> Compile(BackendRegistry& registry, const ScriptSpec& spec);
  Script(const redoubt_script_table& table, redoubt_script* script, base::MemoryResource& memory);
  ~Script();
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  const std::vector<ScriptFunction>& functions() const { return functions_; }
  // Null when there is none of that name.
  const ScriptFunction* Find(std::string_view name) const;
  size_t memory_bytes() const { return table_.memory(script_); }

  base::Result<Tensors> Run(const ScriptCall& call, ScriptHost& host) const;

 private:
  base::Status CheckEntryPoints(const std::vector<std::string>& names) const;

  const redoubt_script_table& table_;
  redoubt_script* script_;
  base::MemoryResource& memory_;
  std::vector<ScriptFunction> functions_;
};

// A script that is there at once and compiled a little later.
class ScriptSlot final : public BuiltLater<ScriptSpec, Script> {
 public:
  explicit ScriptSlot(ScriptSpec spec) : BuiltLater(std::move(spec), "the script is still being compiled") {}
  // Starts compiling on the loader's thread, which also takes the script down again in the end.
  static std::shared_ptr<ScriptSlot> Load(ModelLoader& loader, BackendRegistry& registry, ScriptSpec spec);
};

// One call of a script as work for an Executor.
class ScriptJob final : public Job {
 public:
  ScriptJob(std::shared_ptr<ScriptSlot> script, ScriptCall call, std::shared_ptr<ScriptHost> host);

  const void* lane() const override { return script_.get(); }
  bool ready() const override { return script_->built(); }
  void WhenReady(std::function<void()> callback) override { script_->WhenBuilt(std::move(callback)); }
  base::Result<Tensors> Run(int64_t limit_ms) override;
  void Cancel() override { host_->Cancel(); }

 private:
  const std::shared_ptr<ScriptSlot> script_;
  const ScriptCall call_;
  const std::shared_ptr<ScriptHost> host_;
};

}  // namespace redoubt::infer
