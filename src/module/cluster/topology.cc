#include "module/cluster/topology.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/clock.h"
#include "module/host/call.h"

namespace redoubt::cluster {
namespace {

constexpr int64_t kTrustedForUs = 100'000;

std::string TextOf(RedisModuleCallReply* reply) {
  size_t size = 0;
  const char* text = reply == nullptr ? nullptr : RedisModule_CallReplyStringPtr(reply, &size);
  return text == nullptr ? std::string() : std::string(text, size);
}

// [first slot, last slot, [address, port, id, ...] of the primary, those of replicas...]
void AddRange(RedisModuleCallReply* range, std::string_view self, std::vector<Shard>& shards) {
  auto at = [](RedisModuleCallReply* array, size_t i) { return RedisModule_CallReplyArrayElement(array, i); };
  if (range == nullptr || RedisModule_CallReplyLength(range) < 3) return;
  RedisModuleCallReply* primary = at(range, 2);
  if (primary == nullptr || RedisModule_CallReplyLength(primary) < 3) return;
  const std::string id = TextOf(at(primary, 2));
  auto known = std::find_if(shards.begin(), shards.end(), [&](const Shard& shard) { return shard.node_id == id; });
  if (known == shards.end()) {
    const std::string address =
        fmt::format("{}:{}", TextOf(at(primary, 0)), RedisModule_CallReplyInteger(at(primary, 1)));
    known = shards.insert(shards.end(), {id, address, id == self, {}});
  }
  known->slots.emplace_back(static_cast<int>(RedisModule_CallReplyInteger(at(range, 0))),
                            static_cast<int>(RedisModule_CallReplyInteger(at(range, 1))));
}

}  // namespace

bool Shard::Owns(int slot) const {
  return std::any_of(slots.begin(), slots.end(),
                     [slot](const auto& range) { return range.first <= slot && slot <= range.second; });
}

base::Result<std::vector<Shard>> Topology::Shards(host::Context& ctx) {
  const int64_t now = base::SystemClock().SteadyMicros();
  if (!shards_.empty() && now - read_at_us_ < kTrustedForUs) return shards_;
  host::CallReply reply(RedisModule_Call(ctx.raw(), "CLUSTER", "c", "SLOTS"));
  if (reply.raw() == nullptr || RedisModule_CallReplyType(reply.raw()) != REDISMODULE_REPLY_ARRAY) {
    return base::Unavailable("CLUSTERDOWN the server does not say who serves which slots");
  }
  const char* id = RedisModule_GetMyClusterID();
  const std::string_view self = id == nullptr ? std::string_view() : std::string_view(id, REDISMODULE_NODE_ID_LEN);
  shards_.clear();
  for (size_t i = 0; i < RedisModule_CallReplyLength(reply.raw()); ++i) {
    AddRange(RedisModule_CallReplyArrayElement(reply.raw(), i), self, shards_);
  }
  read_at_us_ = now;
  if (shards_.empty()) return base::Unavailable("CLUSTERDOWN no node of the cluster serves a slot yet");
  return shards_;
}

}  // namespace redoubt::cluster
