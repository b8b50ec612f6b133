#pragma once

#include <memory>

#include "base/status.h"
#include "module/host/acl.h"
#include "module/host/api.h"
#include "module/host/context.h"

namespace redoubt::host {

// What happens on the main thread when work for a waiting client is done. Filled by another thread before Unblock().
class Completion {
 public:
  virtual ~Completion() = default;
  // Exactly once, also when the client has left: change keys and replicate here, through `effects`, whose database is
  // the client's. Check the world first (CheckWorld): time has passed.
  virtual void Apply(Context& effects) { (void)effects; }
  // After Apply(), only when the client is still there.
  virtual void Reply(Context& ctx) = 0;
};

// A client that waits. Create on the main thread; Unblock() on any, exactly once. Check Context::CanBlock() before.
class BlockedClient {
 public:
  static BlockedClient* Block(Context& ctx, std::unique_ptr<Completion> completion);
  // Hands the completion to the main thread; the object is gone afterwards.
  void Unblock();
  // Main thread, within the blocking command, when the work could not be started: the completion is dropped unused and
  // the caller replies itself.
  void Abort();
  Completion& completion() { return *completion_; }

 private:
  BlockedClient() = default;
  static int OnReply(RedisModuleCtx* ctx, RedisModuleString** argv, int argc);
  static void OnFree(RedisModuleCtx* ctx, void* data);
  void ApplyOnce();

  RedisModuleBlockedClient* client_ = nullptr;
  std::unique_ptr<Completion> completion_;
  int db_ = 0;
  bool applied_ = false;
};

// A context for effects outside of any command, e.g. for a client that has left. One for the module, made in OnLoad.
// Main thread only (its log works everywhere).
class EffectsContext {
 public:
  static void Create(Context& on_load);
  static Context InDatabase(int db);
  static RedisModuleCtx* raw();
};

// Whether results that took time may still be written: still primary, not paused, memory left. The status carries the
// wire text ("READONLY ...", "OOM ...").
base::Status CheckWorld(Context& effects);

// The same for one key: the caller may still do that with it (see Caller::MayUseKey), and in a cluster its slot has not
// moved away.
base::Status CheckKeyInWorld(Context& effects, const Caller& caller, RedisModuleString* key, int flags);

}  // namespace redoubt::host
