#include "module/ft/shard_info.h"

#include <fmt/core.h>

#include <set>
#include <utility>

#include "module/cluster/wire.h"
#include "module/ft/shard_question.h"
#include "module/host/blocked_client.h"

namespace redoubt::ft {
namespace {

using cluster::NodeLink;
using cluster::Question;

constexpr int64_t kPatienceMs = 1000;

// Answers of all shards, gathered while a client waits.
class Gathered : public host::Completion {
 public:
  explicit Gathered(size_t shards) : waiting_(shards) {}
  void set_client(host::BlockedClient* client) { client_ = client; }
  void Add(const std::string& address, const base::Result<std::string>& answer) {
    Take(address, answer);
    if (--waiting_ == 0) client_->Unblock();
  }

 protected:
  virtual void Take(const std::string& address, const base::Result<std::string>& answer) = 0;

 private:
  host::BlockedClient* client_ = nullptr;
  size_t waiting_;
};

class GatheredInfo final : public Gathered {
 public:
  GatheredInfo(size_t shards, std::function<void(host::Context&, const ShardReports&)> reply)
      : Gathered(shards), reply_(std::move(reply)) {}

  void Reply(host::Context& ctx) override { reply_(ctx, reports_); }

 protected:
  void Take(const std::string& address, const base::Result<std::string>& answer) override {
    base::Result<IndexReport> report = answer.ok() ? IndexReport::Decode(*answer) : answer.status();
    if (!report.ok()) {
      reports_.missing.push_back(fmt::format("{}: {}", address, report.status().message()));
    } else if (std::exchange(first_, false)) {
      reports_.sum = std::move(*report);
    } else {
      reports_.sum.Add(*report);
    }
  }

 private:
  const std::function<void(host::Context&, const ShardReports&)> reply_;
  bool first_ = true;
  ShardReports reports_;
};

base::Result<std::vector<std::string>> DecodeTags(std::string_view bytes) {
  cluster::WireReader in(bytes);
  ASSIGN_OR_RETURN(size_t count, in.Count(sizeof(uint64_t)));
  std::vector<std::string> tags;
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string_view tag, in.Text());
    tags.emplace_back(tag);
  }
  return tags;
}

class GatheredTags final : public Gathered {
 public:
  using Gathered::Gathered;

  void Reply(host::Context& ctx) override {
    if (!error_.ok()) {
      (void)ReplyFtError(ctx, error_);
      return;
    }
    RedisModule_ReplyWithSet(ctx.raw(), static_cast<long>(tags_.size()));  // an array in RESP2
    for (const std::string& tag : tags_) ctx.ReplyBulk(tag);
  }

 protected:
  void Take(const std::string& address, const base::Result<std::string>& answer) override {
    base::Result<std::vector<std::string>> tags = answer.ok() ? DecodeTags(*answer) : answer.status();
    if (tags.ok()) {
      tags_.insert(std::make_move_iterator(tags->begin()), std::make_move_iterator(tags->end()));
    } else if (error_.ok()) {
      error_ = ShardError(address, "list its tags", tags.status());
    }
  }

 private:
  std::set<std::string> tags_;
  base::Status error_;
};

class GatheredAlias final : public Gathered {
 public:
  GatheredAlias(FtModule& ft, std::string unknown, size_t shards)
      : Gathered(shards), ft_(ft), unknown_(std::move(unknown)) {}

  void Reply(host::Context& ctx) override {
    const base::Status moved = index_.empty() ? base::OkStatus() : ft_.shards()->Find(ctx, index_).status();
    (void)ReplyFtError(ctx, moved.ok() ? base::NotFound(unknown_) : moved);
  }

 protected:
  // A shard that does not answer is as one that does not know the name.
  void Take(const std::string& /*address*/, const base::Result<std::string>& answer) override {
    if (answer.ok() && !answer->empty()) index_ = *answer;
  }

 private:
  FtModule& ft_;
  const std::string unknown_;
  std::string index_;
};

base::Result<std::string> AnswerInfo(FtModule& ft, std::string_view index) {
  const std::shared_ptr<IndexEntry> entry = ft.indexes().Find(index);
  if (entry == nullptr) return base::NotFound(fmt::format("{}: no such index", index));
  return IndexReport::Of(*entry).Encode();
}

std::string TagsBody(std::string_view index, std::string_view field) {
  cluster::WireWriter body;
  body.Text(index);
  body.Text(field);
  return body.Take();
}

base::Result<std::string> AnswerTags(FtModule& ft, std::string_view body) {
  constexpr size_t kMostBytes = size_t{64} << 20;  // the bus also carries the heartbeats
  cluster::WireReader in(body);
  ASSIGN_OR_RETURN(std::string_view index, in.Text());
  ASSIGN_OR_RETURN(std::string_view name, in.Text());
  const std::shared_ptr<IndexEntry> entry = ft.indexes().Find(index);
  if (entry == nullptr) return base::NotFound(fmt::format("{}: no such index", index));
  const std::optional<size_t> field = entry->definition().FindField(name);
  if (!field || entry->definition().fields[*field].type != search::FieldType::kTag) {
    return base::FailedPrecondition("its index has no such TAG field: compare FT.INFO of the shards");
  }
  const std::vector<std::string> tags = entry->live->Tags(*field);
  cluster::WireWriter out;
  out.Number(tags.size());
  for (const std::string& tag : tags) out.Text(tag);
  if (out.size() > kMostBytes) return base::ResourceExhausted("its tags take more than 64 MiB: use FT.AGGREGATE");
  return out.Take();
}

// The index of one shard that goes by this name here, or nothing.
std::string AnswerAlias(FtModule& ft, std::string_view name) {
  const std::shared_ptr<IndexEntry> entry = ft.indexes().Find(name);
  return entry != nullptr && HasHashTag(entry->definition().name) ? entry->definition().name : std::string();
}

}  // namespace

void InfoOfShards(FtModule& ft, host::Context& ctx, const std::shared_ptr<IndexEntry>& entry,
                  const std::vector<cluster::Shard>& shards,
                  std::function<void(host::Context&, const ShardReports&)> reply) {
  const std::string& name = entry->definition().name;
  auto info = std::make_unique<GatheredInfo>(shards.size(), std::move(reply));
  GatheredInfo& gathered = *info;
  gathered.set_client(host::BlockedClient::Block(ctx, std::move(info)));
  for (const cluster::Shard& shard : shards) {
    auto add = [&gathered, address = shard.address](const base::Result<std::string>& answer) {
      gathered.Add(address, answer);
    };
    shard.is_self ? add(AnswerInfo(ft, name)) : AskShard(ft, shard, Question::kStats, name, kPatienceMs, entry, add);
  }
}

void TagsOfShards(FtModule& ft, host::Context& ctx, const std::shared_ptr<IndexEntry>& entry, std::string_view field,
                  const std::vector<cluster::Shard>& shards) {
  const std::string body = TagsBody(entry->definition().name, field);
  auto tags = std::make_unique<GatheredTags>(shards.size());
  GatheredTags& gathered = *tags;
  gathered.set_client(host::BlockedClient::Block(ctx, std::move(tags)));
  for (const cluster::Shard& shard : shards) {
    auto add = [&gathered, address = shard.address](const base::Result<std::string>& answer) {
      gathered.Add(address, answer);
    };
    shard.is_self ? add(AnswerTags(ft, body)) : AskShard(ft, shard, Question::kTags, body, kPatienceMs, entry, add);
  }
}

void LookForAlias(FtModule& ft, host::Context& ctx, std::string_view name, std::string unknown,
                  const std::vector<cluster::Shard>& shards) {
  auto alias = std::make_unique<GatheredAlias>(ft, std::move(unknown), shards.size());
  GatheredAlias& gathered = *alias;
  gathered.set_client(host::BlockedClient::Block(ctx, std::move(alias)));
  for (const cluster::Shard& shard : shards) {
    auto add = [&gathered, address = shard.address](const base::Result<std::string>& answer) {
      gathered.Add(address, answer);
    };
    shard.is_self ? add(AnswerAlias(ft, name))
                  : ft.shards()->link().Ask(shard.node_id, Question::kAlias, name, kPatienceMs, add);
  }
}

void ServeShardInfo(FtModule& ft) {
  NodeLink& link = ft.shards()->link();
  link.Serve(Question::kStats,
             [&ft](std::string_view body, const NodeLink::Done& answer) { answer(AnswerInfo(ft, body)); });
  link.Serve(Question::kTags,
             [&ft](std::string_view body, const NodeLink::Done& answer) { answer(AnswerTags(ft, body)); });
  link.Serve(Question::kAlias,
             [&ft](std::string_view body, const NodeLink::Done& answer) { answer(AnswerAlias(ft, body)); });
}

}  // namespace redoubt::ft
