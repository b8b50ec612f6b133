#include "module/host/blocked_client.h"

#include <fmt/core.h>

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/thread_annotations.h"
#include "module/host/key.h"
#include "module/host/key_slot.h"

namespace redoubt::host {
namespace {

// The C callbacks carry no module state; made once in OnLoad and never freed.
RedisModuleCtx* g_effects = nullptr;

// Whether the slot of the key is on its way to this node: then the owner sends clients here with ASK, whose commands
// are served although a call of a module (which cannot say ASKING) is refused.
bool ImportsSlotOf(Context& effects, RedisModuleString* key) {
  RedisModuleCallReply* reply = RedisModule_Call(effects.raw(), "CLUSTER", "c", "NODES");
  if (reply == nullptr) return false;
  size_t size = 0;
  const char* text = RedisModule_CallReplyStringPtr(reply, &size);
  // Only this node's own line lists the slots that are being moved: [93-<-the-other-nodes-id].
  const std::string mark = fmt::format(" [{}-<-", KeySlot(View(key)));
  const bool found = text != nullptr && std::string_view(text, size).find(mark) != std::string_view::npos;
  RedisModule_FreeCallReply(reply);
  return found;
}

// Brings clients that are done to the main thread, as many at once as have come together. RedisModule_UnblockClient()
// wakes the main thread by a pipe while it holds the lock that the main thread takes next. On a worker, which may be
// nicer than the main thread and is easily put aside just then, that stops the whole server for a while.
class Unblocker {
 public:
  void Add(RedisModuleBlockedClient* client, BlockedClient* blocked) {
    bool wake = false;
    {
      std::lock_guard lock(mu_);
      done_.emplace_back(client, blocked);
      wake = done_.size() == 1;
    }
    if (wake) RedisModule_EventLoopAddOneShot(&OnMainThread, this);
  }

 private:
  static void OnMainThread(void* self) {
    std::vector<std::pair<RedisModuleBlockedClient*, BlockedClient*>> done;
    {
      std::lock_guard lock(static_cast<Unblocker*>(self)->mu_);
      done.swap(static_cast<Unblocker*>(self)->done_);
    }
    for (const auto& [client, blocked] : done) RedisModule_UnblockClient(client, blocked);
  }

  std::mutex mu_;
  std::vector<std::pair<RedisModuleBlockedClient*, BlockedClient*>> done_ GUARDED_BY(mu_);
};

Unblocker& TheUnblocker() {
  static auto* unblocker = new Unblocker;  // never destroyed: workers may use it while the process ends
  return *unblocker;
}

}  // namespace

void EffectsContext::Create(Context& on_load) { g_effects = RedisModule_GetDetachedThreadSafeContext(on_load.raw()); }

Context EffectsContext::InDatabase(int db) {
  RedisModule_SelectDb(g_effects, db);
  return Context(g_effects);
}

RedisModuleCtx* EffectsContext::raw() { return g_effects; }

BlockedClient* BlockedClient::Block(Context& ctx, std::unique_ptr<Completion> completion) {
  auto* blocked = new BlockedClient;
  blocked->completion_ = std::move(completion);
  blocked->db_ = ctx.db();
  blocked->client_ = RedisModule_BlockClient(ctx.raw(), &OnReply, nullptr, &OnFree, 0);
  CHECK(blocked->client_ != nullptr);
  return blocked;
}

void BlockedClient::Unblock() { TheUnblocker().Add(client_, this); }

void BlockedClient::Abort() {
  RedisModule_AbortBlock(client_);
  delete this;
}

void BlockedClient::ApplyOnce() {
  if (std::exchange(applied_, true)) return;
  Context effects = EffectsContext::InDatabase(db_);
  completion_->Apply(effects);
}

int BlockedClient::OnReply(RedisModuleCtx* raw, RedisModuleString** /*argv*/, int /*argc*/) {
  auto* blocked = static_cast<BlockedClient*>(RedisModule_GetBlockedClientPrivateData(raw));
  blocked->ApplyOnce();
  Context ctx(raw);
  blocked->completion_->Reply(ctx);
  return REDISMODULE_OK;
}

// Called whether or not the client is still there, after OnReply when it is.
void BlockedClient::OnFree(RedisModuleCtx* /*ctx*/, void* data) {
  std::unique_ptr<BlockedClient> blocked(static_cast<BlockedClient*>(data));
  blocked->ApplyOnce();
}

base::Status CheckWorld(Context& effects) {
  const int flags = effects.Flags();
  if ((flags & REDISMODULE_CTX_FLAGS_MASTER) == 0) {
    return base::FailedPrecondition("READONLY You can't write against a read only replica.");
  }
  if (RedisModule_AvoidReplicaTraffic() != 0) {
    return base::Unavailable("ERR writes are paused (CLIENT PAUSE or failover): the result was not stored, try again");
  }
  const bool full = (flags & REDISMODULE_CTX_FLAGS_OOM) != 0;
  const bool evicts = (flags & REDISMODULE_CTX_FLAGS_EVICT) != 0;
  if (full && !evicts) return base::ResourceExhausted("OOM command not allowed when used memory > 'maxmemory'.");
  return base::OkStatus();
}

base::Status CheckKeyInWorld(Context& effects, const Caller& caller, RedisModuleString* key, int flags) {
  if (!caller.MayUseKey(key, flags)) {
    return base::PermissionDenied(
        fmt::format("NOPERM user '{}' may no longer use the key '{}'", caller.user(), View(key)));
  }
  if ((effects.Flags() & REDISMODULE_CTX_FLAGS_CLUSTER) == 0) return base::OkStatus();
  // A call from a module is refused for keys of other nodes; the cheapest one tells.
  RedisModuleCallReply* reply = RedisModule_Call(effects.raw(), "EXISTS", "s", key);
  if (reply == nullptr) {
    if (ImportsSlotOf(effects, key)) return base::OkStatus();
    return base::Unavailable(
        fmt::format("ERR the slot of the key '{}' has moved to another node, try again", View(key)));
  }
  RedisModule_FreeCallReply(reply);
  return base::OkStatus();
}

}  // namespace redoubt::host
