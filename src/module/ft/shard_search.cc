#include "module/ft/shard_search.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "module/cluster/wire.h"
#include "module/ft/document_fields.h"
#include "module/ft/local_search.h"
#include "module/ft/outcome_wire.h"
#include "module/ft/search_reply.h"
#include "module/ft/shard_question.h"
#include "module/host/blocked_client.h"
#include "search/merge.h"

namespace redoubt::ft {
namespace {

using cluster::NodeLink;
using cluster::Question;

std::string Body(std::string_view index, std::span<const std::string> words, const search::SearchDefaults& defaults) {
  cluster::WireWriter body;
  body.Text(index);
  body.Number(static_cast<uint64_t>(defaults.timeout_ms));
  body.Number(static_cast<uint64_t>(defaults.dialect));
  body.Number(defaults.max_results);
  body.Number(words.size());
  for (const std::string& word : words) body.Text(word);
  return body.Take();
}

// A search under way on several shards.
class ShardedSearch final : public host::Completion {
 public:
  ShardedSearch(search::SearchPlan plan, host::Caller caller, bool fail_on_timeout, size_t shards)
      : plan_(std::move(plan)), caller_(std::move(caller)), fail_on_timeout_(fail_on_timeout), waiting_(shards) {}
  void set_client(host::BlockedClient* client) { client_ = client; }

  void Add(const std::string& address, base::Result<search::SearchOutcome> found) {
    if (found.ok()) {
      found_.push_back(std::move(*found));
    } else if (found.status().code() == base::StatusCode::kDeadlineExceeded) {
      found_.emplace_back().timed_out = true;
    } else if (error_.ok()) {
      error_ = ShardError(address, "search", found.status());
    }
    if (--waiting_ == 0) client_->Unblock();
  }

  void Reply(host::Context& ctx) override {
    if (!error_.ok()) {
      (void)ReplyFtError(ctx, error_);
      return;
    }
    const search::SearchOutcome merged = search::MergeOutcomes(plan_, std::move(found_));
    if (merged.timed_out && fail_on_timeout_) {
      (void)ReplyFtError(ctx, base::DeadlineExceeded("Timeout limit was reached"));
      return;
    }
    ReplySearch(ctx, caller_, plan_, merged);
  }

 private:
  const search::SearchPlan plan_;
  const host::Caller caller_;
  const bool fail_on_timeout_;
  host::BlockedClient* client_ = nullptr;
  size_t waiting_;
  std::vector<search::SearchOutcome> found_;
  base::Status error_;
};

// So that the node that asked need not ask again.
void LoadFields(const search::SearchPlan& plan, search::SearchOutcome& outcome) {
  if (plan.no_content) return;
  host::Context ctx = host::EffectsContext::InDatabase(0);
  std::erase_if(outcome.documents, [&](search::FoundDocument& document) {
    const host::String key(document.key);
    const std::optional<DocumentFields> fields = DocumentFields::Load(ctx, key.raw(), plan, document);
    if (fields) document.fields.emplace(fields->texts().begin(), fields->texts().end());
    return !fields;
  });
}

base::Status AnswerSearch(FtModule& ft, std::string_view body, const NodeLink::Done& answer) {
  cluster::WireReader reader(body);
  ASSIGN_OR_RETURN(std::string_view name, reader.Text());
  search::SearchDefaults defaults;  // of the node that was asked
  ASSIGN_OR_RETURN(uint64_t timeout_ms, reader.Number());
  ASSIGN_OR_RETURN(uint64_t dialect, reader.Number());
  ASSIGN_OR_RETURN(defaults.max_results, reader.Number());
  defaults.timeout_ms = static_cast<int64_t>(timeout_ms);
  defaults.dialect = static_cast<int>(dialect);
  ASSIGN_OR_RETURN(size_t count, reader.Count(sizeof(uint64_t)));
  std::vector<std::string_view> words;
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string_view word, reader.Text());
    words.push_back(word);
  }
  const std::shared_ptr<IndexEntry> entry = ft.indexes().Find(name);
  if (entry == nullptr) return base::NotFound(fmt::format("{}: no such index", name));
  ASSIGN_OR_RETURN(search::SearchPlan plan, search::PlanSearch(words, entry->definition(), defaults));
  search::MakeShardPlan(plan);
  auto shown = std::make_shared<const search::SearchPlan>(std::move(plan));
  return RunLocalSearch(ft, *entry, shown, [shown, answer](search::SearchOutcome outcome) {
    LoadFields(*shown, outcome);
    answer(EncodeOutcome(outcome));
  });
}

}  // namespace

base::Status SearchShards(FtModule& ft, host::Context& ctx, const host::Args& args,
                          const std::shared_ptr<IndexEntry>& entry, search::SearchPlan plan,
                          std::vector<cluster::Shard> shards) {
  const int64_t timeout_ms = PatienceMillis(plan.timeout_ms);
  std::vector<std::string> words;
  for (size_t i = 2; i < args.size(); ++i) words.emplace_back(args[i]);
  const search::SearchDefaults defaults = SearchDefaultsOf(ft.settings());
  const std::string body = Body(entry->definition().name, words, defaults);
  base::Result<search::SearchPlan> own = search::PlanSearch(Words(args, 2), entry->definition(), defaults);
  if (!own.ok()) return ReplyFtError(ctx, own.status());
  search::MakeShardPlan(*own);
  auto search = std::make_unique<ShardedSearch>(std::move(plan), host::Caller::Of(ctx), ft.settings().fail_on_timeout,
                                                shards.size());
  ShardedSearch& gathered = *search;
  gathered.set_client(host::BlockedClient::Block(ctx, std::move(search)));
  for (cluster::Shard& shard : shards) {
    if (!shard.is_self) {
      AskShard(ft, shard, Question::kSearch, body, timeout_ms, entry,
               [&gathered, address = shard.address](base::Result<std::string> answer) {
                 gathered.Add(address, answer.ok() ? DecodeOutcome(*answer) : answer.status());
               });
      continue;
    }
    const std::string address = shard.address;
    const base::Status started = RunLocalSearch(
        ft, *entry, std::make_shared<const search::SearchPlan>(std::move(*own)),
        [&gathered, address](search::SearchOutcome outcome) { gathered.Add(address, std::move(outcome)); });
    if (!started.ok()) gathered.Add(address, started);
  }
  return base::OkStatus();
}

void ServeShardSearches(FtModule& ft) {
  ft.shards()->link().Serve(Question::kSearch, [&ft](std::string_view body, const NodeLink::Done& answer) {
    if (base::Status status = AnswerSearch(ft, body, answer); !status.ok()) answer(std::move(status));
  });
}

}  // namespace redoubt::ft
