#include "module/ft/temporary_indexes.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/clock.h"
#include "module/ft/ft_module.h"
#include "module/host/blocked_client.h"

namespace redoubt::ft {
namespace {

constexpr int kLookMillis = 500;

bool IsTemporary(const IndexEntry& entry) { return entry.definition().temporary_s > 0; }

}  // namespace

void TemporaryIndexes::Watch() {
  const bool any = std::any_of(ft_.indexes().begin(), ft_.indexes().end(),
                               [](const auto& index) { return IsTemporary(*index.second); });
  if (armed_ || !any) return;
  armed_ = true;
  RedisModule_CreateTimer(host::EffectsContext::raw(), kLookMillis, &OnTimer, this);
}

void TemporaryIndexes::OnTimer(RedisModuleCtx* ctx, void* self) {
  auto* temporary = static_cast<TemporaryIndexes*>(self);
  temporary->armed_ = false;
  temporary->Look(ctx);
  temporary->Watch();
}

void TemporaryIndexes::Look(RedisModuleCtx* ctx) {
  // While writes are paused nothing may be replicated: the server would abort.
  if (RedisModule_AvoidReplicaTraffic() != 0) return;
  const int64_t now = base::SystemClock().SteadyMicros();
  const bool primary = (host::Context(ctx).Flags() & REDISMODULE_CTX_FLAGS_MASTER) != 0;
  std::vector<std::string> over;
  for (const auto& [name, entry] : ft_.indexes()) {
    // A replica does not see the searches of its primary: should it be promoted, the time begins then.
    if (!primary || entry->scanning) entry->Use();
    if (IsTemporary(*entry) && (now - entry->used_at_us) / 1'000'000 >= entry->definition().temporary_s) {
      over.push_back(name);
    }
  }
  for (const std::string& name : over) {
    ft_.logger().Info("index '{}' was not used for its {} seconds (TEMPORARY) and is dropped", name,
                      ft_.indexes().FindByName(name)->definition().temporary_s);
    ft_.DropIndex(name);
    RedisModule_Replicate(ctx, "FT.DROPINDEX", "b", name.data(), name.size());
  }
}

}  // namespace redoubt::ft
