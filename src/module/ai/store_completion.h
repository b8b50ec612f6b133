#pragma once

#include <string>
#include <vector>

#include "module/ai/ai_module.h"
#include "module/host/acl.h"
#include "module/host/args.h"
#include "module/host/blocked_client.h"
#include "module/host/context.h"
#include "module/host/key.h"

namespace redoubt::ai {

// Ends AI.MODELSTORE, AI.SCRIPTSTORE, their old forms and a large AI.TENSORSET: puts what was built at its key and
// replicates the command.
class StoreCompletion : public host::Completion {
 public:
  StoreCompletion(AiModule& ai, host::Context& ctx, const host::Args& args);

  void Apply(host::Context& effects) final;
  void Reply(host::Context& ctx) final;

 protected:
  // On the loader's thread, before the client is unblocked: nothing will be stored.
  void Fail(base::Status why) { result_ = std::move(why); }
  // The same for what could not be built: the wire text is the vendor's words as they are.
  void FailBuild(const base::Status& why, const std::string& backend);

  // INFO's store_errors are those of models and scripts.
  virtual void CountRefusal() { ++ai_.counters().store_errors; }
  // Whether the key holds a value of the same kind, which may be replaced.
  virtual bool MayReplace(const host::Key& key) const = 0;
  virtual void Put(host::Context& effects, host::Key& key, RedisModuleString* name) = 0;
  // What replicas and the AOF get behind the command's name; the whole command as it came, if not overridden.
  virtual std::vector<host::String> WordsForReplicas() const;

  AiModule& ai_;
  std::vector<host::String> words_;  // the whole command

 private:
  base::Status Store(host::Context& effects);

  host::Caller caller_;
  const bool exact_texts_;  // ai.compat-redisai
  base::Status result_;
};

}  // namespace redoubt::ai
