#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "infer/model.h"
#include "infer/model_loader.h"
#include "infer/script.h"
#include "module/host/acl.h"
#include "module/host/context.h"
#include "module/host/main_thread.h"

namespace redoubt::ai {

// What a script may ask of the server, with the rights of the user who runs it, as they are at that moment: commands go
// to the main thread; models are looked up there and run on the script's own worker.
class ServerScriptHost final : public infer::ScriptHost, public std::enable_shared_from_this<ServerScriptHost> {
 public:
  // Within the command that runs the script. `read_only`: no command that may write.
  explicit ServerScriptHost(host::Context& ctx, bool read_only = false)
      : caller_(host::Caller::Of(ctx)), db_(ctx.db()), read_only_(read_only) {}

  base::Result<infer::CommandReply> Execute(std::span<const std::string_view> words) override;
  base::Result<infer::Tensors> RunModel(std::string_view key, const infer::Tensors& inputs) override;
  void Limit(int64_t limit_ms) override;
  void Cancel() override;

 private:
  base::Result<std::shared_ptr<infer::ModelSlot>> FindModel(std::string_view key);
  base::Result<std::shared_ptr<infer::Model>> WaitFor(infer::ModelSlot& slot);

  const host::Caller caller_;
  const int db_;
  const bool read_only_;
  const std::shared_ptr<host::MainThreadCaller> main_thread_ = host::MainThreadCaller::Create();
  std::mutex mu_;
  std::condition_variable changed_;
  bool cancelled_ GUARDED_BY(mu_) = false;
  int64_t until_us_ = 0;  // of the steady clock; 0: no limit. Set before the script runs, by its own thread
  std::shared_ptr<infer::RunHandle> running_ GUARDED_BY(mu_);  // a model's, while it runs
};

}  // namespace redoubt::ai
