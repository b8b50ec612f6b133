#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "module/host/context.h"

namespace redoubt::cluster {

// A primary that serves slots.
struct Shard {
  std::string node_id;
  std::string address;  // "10.0.0.7:6379", for messages
  bool is_self = false;
  std::vector<std::pair<int, int>> slots;  // first and last of each range

  bool Owns(int slot) const;
};

// Who serves which slots, as this node knows it. Main thread only.
class Topology {
 public:
  // Whether the server runs as a node of a cluster; this never changes.
  static bool IsCluster(const host::Context& ctx) { return (ctx.Flags() & REDISMODULE_CTX_FLAGS_CLUSTER) != 0; }

  // The shards, asked of the server again after 100 ms. Unavailable when no slot is served.
  base::Result<std::vector<Shard>> Shards(host::Context& ctx);

 private:
  std::vector<Shard> shards_;
  int64_t read_at_us_ = 0;
};

}  // namespace redoubt::cluster
