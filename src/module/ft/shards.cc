#include "module/ft/shards.h"

#include <fmt/core.h>

#include <memory>
#include <utility>

#include "module/cluster/wire.h"
#include "module/ft/ft_module.h"
#include "module/host/blocked_client.h"
#include "module/host/call.h"
#include "module/host/key.h"
#include "module/host/key_slot.h"
#include "search/args.h"

namespace redoubt::ft {
namespace {

constexpr int64_t kDefineTimeoutMs = 5000;

std::string DefineBody(const std::string& user, const std::vector<std::string>& words) {
  cluster::WireWriter body;
  body.Text(user);
  body.Number(words.size());
  for (const std::string& word : words) body.Text(word);
  return body.Take();
}

bool IsRemoval(std::string_view command) {
  const std::string name = search::ToUpper(command);
  return name.find("DROP") != std::string::npos || name.find("ALIASDEL") != std::string::npos;
}

bool IsAbsence(const base::Status& status) {
  return search::EqualsIgnoringCase(status.message(), "Unknown index name") ||
         status.message() == "Alias does not exist";
}

// What the shards said to one command, gathered while its client waits.
class DefinitionReply final : public host::Completion {
 public:
  // `removes`: a shard that does not have the thing is as well.
  DefinitionReply(size_t shards, bool removes) : waiting_(shards), removes_(removes) {}
  void set_client(host::BlockedClient* client) { client_ = client; }

  void Add(const std::string& address, base::Status status) {
    if (status.ok()) {
      ++done_;
    } else if (removes_ && IsAbsence(status)) {
      absence_ = std::move(status);
    } else {
      if (failures_.empty()) first_failure_ = status;
      if (status.code() == base::StatusCode::kUnavailable || status.code() == base::StatusCode::kDeadlineExceeded) {
        unreached_ = true;
      }
      failures_ += fmt::format("{}{}: {}", failures_.empty() ? "" : "; ", address, status.message());
    }
    if (--waiting_ == 0) client_->Unblock();
  }

  void Reply(host::Context& ctx) override {
    if (failures_.empty() && done_ > 0) return ctx.ReplyOk();
    base::Status error = failures_.empty() ? absence_ : first_failure_;
    if (!failures_.empty() && (done_ > 0 || unreached_)) {
      error =
          base::Unavailable(fmt::format("ERR not done on every shard, run it again or drop the index: {}", failures_));
    }
    (void)ReplyFtError(ctx, error);
  }

 private:
  host::BlockedClient* client_ = nullptr;
  size_t waiting_;
  const bool removes_;
  size_t done_ = 0;
  base::Status absence_;
  bool unreached_ = false;
  base::Status first_failure_;
  std::string failures_;
};

}  // namespace

bool HasHashTag(std::string_view name) {
  const size_t open = name.find('{');
  if (open == std::string_view::npos) return false;
  const size_t close = name.find('}', open + 1);
  return close != std::string_view::npos && close > open + 1;
}

Shards::Shards(cluster::NodeLink& link) : link_(link) {
  link_.Serve(cluster::Question::kDefine,
              [this](std::string_view body, cluster::NodeLink::Done answer) { answer(AnswerDefine(body)); });
}

base::Result<Shards::Place> Shards::Find(host::Context& ctx, std::string_view name) {
  Place place;
  // What comes from the primary or the AOF, or from the node that a client asked, is for this node.
  if (passed_on_for_ != nullptr || ctx.MustObey()) {
    place.here = true;
    return place;
  }
  ASSIGN_OR_RETURN(place.shards, topology_.Shards(ctx));
  if (!HasHashTag(name)) {
    place.here = place.shards.size() == 1 && place.shards[0].is_self;
    return place;
  }
  const int slot = host::KeySlot(name);
  for (const cluster::Shard& shard : place.shards) {
    if (!shard.Owns(slot)) continue;
    if (!shard.is_self) return base::FailedPrecondition(fmt::format("MOVED {} {}", slot, shard.address));
    place.here = true;
    return place;
  }
  return base::Unavailable("CLUSTERDOWN Hash slot not served");
}

base::Result<Shards::Place> Shards::FindForWaiting(host::Context& ctx, std::string_view command,
                                                   std::string_view name) {
  ASSIGN_OR_RETURN(Place place, Find(ctx, name));
  if (place.here || ctx.CanBlock()) return place;
  return base::FailedPrecondition(fmt::format(
      "ERR {} has to reach all shards, so it cannot run in MULTI or in a script: run it outside, or give the "
      "index a name with a {{hash tag}}",
      command));
}

bool Shards::SpreadDefinition(host::Context& ctx, const host::Args& args, std::string_view name) {
  const base::Result<Place> place = FindForWaiting(ctx, args[0], name);
  if (!place.ok()) {
    (void)ReplyFtError(ctx, place.status());
    return true;
  }
  if (place->here) return false;
  Words words;
  for (size_t i = 0; i < args.size(); ++i) words.emplace_back(args[i]);
  const std::string user = host::Caller::Of(ctx).user();
  auto reply = std::make_unique<DefinitionReply>(place->shards.size(), IsRemoval(args[0]));
  DefinitionReply* gathered = reply.get();
  gathered->set_client(host::BlockedClient::Block(ctx, std::move(reply)));
  const std::string body = DefineBody(user, words);
  for (const cluster::Shard& shard : place->shards) {
    if (shard.is_self) {
      gathered->Add(shard.address, RunHere(user, words));
    } else {
      link_.Ask(shard.node_id, cluster::Question::kDefine, body, kDefineTimeoutMs,
                [gathered, address = shard.address](base::Result<std::string> answer) {
                  gathered->Add(address, answer.status());
                });
    }
  }
  return true;
}

void Shards::AskToDefine(const cluster::Shard& shard, const Words& words, int64_t timeout_ms,
                         std::function<void(base::Status)> done) {
  link_.Ask(shard.node_id, cluster::Question::kDefine, DefineBody("", words), timeout_ms,
            [done = std::move(done)](base::Result<std::string> answer) { done(answer.status()); });
}

base::Status Shards::RunHere(const std::string& user, const Words& words) {
  std::vector<host::String> strings;
  std::vector<RedisModuleString*> raw;
  for (size_t i = 1; i < words.size(); ++i) {
    strings.emplace_back(words[i]);
    raw.push_back(strings.back().raw());
  }
  passed_on_for_ = &user;
  const host::CallReply reply(
      RedisModule_Call(host::EffectsContext::InDatabase(0).raw(), words[0].c_str(), "!EMv", raw.data(), raw.size()));
  passed_on_for_ = nullptr;
  if (reply.raw() == nullptr) return base::Internal("ERR the server did not run the command");
  if (RedisModule_CallReplyType(reply.raw()) != REDISMODULE_REPLY_ERROR) return base::OkStatus();
  size_t size = 0;
  const char* text = RedisModule_CallReplyStringPtr(reply.raw(), &size);
  return base::FailedPrecondition(std::string(text, size));
}

base::Result<std::string> Shards::AnswerDefine(std::string_view body) {
  cluster::WireReader reader(body);
  ASSIGN_OR_RETURN(std::string_view user, reader.Text());
  ASSIGN_OR_RETURN(size_t count, reader.Count(sizeof(uint64_t)));
  Words words;
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string_view word, reader.Text());
    words.emplace_back(word);
  }
  if (words.size() < 2 || !search::EqualsIgnoringCase(words[0].substr(0, 3), "ft.")) {
    return base::InvalidArgument("a node sent a command that defines no index");
  }
  if ((host::EffectsContext::InDatabase(0).Flags() & REDISMODULE_CTX_FLAGS_MASTER) == 0) {
    return base::Unavailable("the node is no primary any more");
  }
  // What is replicated during a pause makes the server abort.
  if (RedisModule_AvoidReplicaTraffic() != 0) {
    return base::Unavailable("ERR writes are paused on the node (CLIENT PAUSE or failover), try again");
  }
  RETURN_IF_ERROR(RunHere(std::string(user), words));
  return std::string();
}

host::Caller Shards::CallerOf(host::Context& ctx) const {
  return passed_on_for_ != nullptr ? host::Caller::Named(*passed_on_for_) : host::Caller::Of(ctx);
}

}  // namespace redoubt::ft
