#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "module/cluster/node_link.h"
#include "module/cluster/topology.h"
#include "module/host/acl.h"
#include "module/host/args.h"
#include "module/host/context.h"

namespace redoubt::ft {

// Whether an index or alias of that name is on one shard only.
bool HasHashTag(std::string_view name);

// An index over the shards of a cluster: its definition is on every one, each indexes its own keys. An index whose name
// has a {hash tag} is on the shard of that tag alone. See docs/design/ft-cluster.md. Main thread only.
class Shards {
 public:
  explicit Shards(cluster::NodeLink& link);

  // Where the index called `name` is.
  struct Place {
    bool here = false;                   // on this node only
    std::vector<cluster::Shard> shards;  // else on all of these
  };
  // FailedPrecondition "MOVED ..." when it is on one other shard only, which clients follow; Unavailable when the
  // cluster is not up.
  base::Result<Place> Find(host::Context& ctx, std::string_view name);

  // The same for a command that waits for the other shards: FailedPrecondition where no client can wait.
  base::Result<Place> FindForWaiting(host::Context& ctx, std::string_view command, std::string_view name);

  // For commands that change definitions, of the index `name`. False: the handler does it here and replies. Otherwise
  // the command runs on all shards, and is replied to when all have answered.
  bool SpreadDefinition(host::Context& ctx, const host::Args& args, std::string_view name);

  // Has one shard run such a command, for no user in particular.
  void AskToDefine(const cluster::Shard& shard, const std::vector<std::string>& words, int64_t timeout_ms,
                   std::function<void(base::Status)> done);

  // Who sent the command, also when another node passed it on.
  host::Caller CallerOf(host::Context& ctx) const;

  // While a command of another node runs here: its error texts are for that node.
  bool runs_for_another() const { return passed_on_for_ != nullptr; }

  cluster::NodeLink& link() { return link_; }

 private:
  using Words = std::vector<std::string>;

  base::Status RunHere(const std::string& user, const Words& words);
  base::Result<std::string> AnswerDefine(std::string_view body);

  cluster::NodeLink& link_;
  cluster::Topology topology_;
  const std::string* passed_on_for_ = nullptr;  // the user, while RunHere() is at work
};

}  // namespace redoubt::ft
