#include "module/ft/shard_question.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "search/create_parser.h"

namespace redoubt::ft {
namespace {

using cluster::NodeLink;

constexpr int64_t kOnTheWayMs = 200;
constexpr int64_t kWithoutTimeoutMs = 60'000;
constexpr size_t kReadPerMs = 50;  // documents, when others want the main thread, too
constexpr int64_t kLongestReadingMs = 10'000;
constexpr int64_t kDefineTimeoutMs = 2000;

class ShardQuestion : public std::enable_shared_from_this<ShardQuestion> {
 public:
  ShardQuestion(FtModule& ft, cluster::Shard shard, cluster::Question question, std::string body, int64_t timeout_ms,
                NodeLink::Done done)
      : ft_(ft),
        shard_(std::move(shard)),
        question_(question),
        body_(std::move(body)),
        timeout_ms_(timeout_ms),
        done_(std::move(done)) {}

  void Ask(std::vector<std::string> definition) {
    Send([self = shared_from_this(), definition = std::move(definition)](base::Result<std::string> answer) {
      // Not when it was dropped here meanwhile: the other shard was told.
      const bool kept = definition.size() > 1 && self->ft_.indexes().FindByName(definition[1]) != nullptr;
      if (kept && answer.status().code() == base::StatusCode::kNotFound) return self->Define(definition);
      self->done_(std::move(answer));
    });
  }

 private:
  void Send(NodeLink::Done done) {
    ft_.shards()->link().Ask(shard_.node_id, question_, body_, timeout_ms_, std::move(done));
  }

  void Define(const std::vector<std::string>& words) {
    ft_.shards()->AskToDefine(shard_, words, kDefineTimeoutMs, [self = shared_from_this()](base::Status /*defined*/) {
      self->Send([self](base::Result<std::string> answer) { self->done_(std::move(answer)); });
    });
  }

  FtModule& ft_;
  const cluster::Shard shard_;
  const cluster::Question question_;
  const std::string body_;
  const int64_t timeout_ms_;
  const NodeLink::Done done_;
};

std::vector<std::string> DefinitionWords(FtModule& ft, const IndexEntry& entry) {
  search::IndexDefinition definition = entry.definition();
  definition.aliases = ft.indexes().AliasesOf(entry);
  std::vector<std::string> words = search::CreateArgs(definition);
  words.insert(words.begin(), "FT.CREATE");
  return words;
}

}  // namespace

int64_t PatienceMillis(int64_t timeout_ms, size_t documents) {
  if (timeout_ms <= 0) return kWithoutTimeoutMs;
  return timeout_ms + kOnTheWayMs + std::min(static_cast<int64_t>(documents / kReadPerMs), kLongestReadingMs);
}

void AskShard(FtModule& ft, const cluster::Shard& shard, cluster::Question question, std::string body,
              int64_t timeout_ms, const std::shared_ptr<IndexEntry>& entry, NodeLink::Done done) {
  std::make_shared<ShardQuestion>(ft, shard, question, std::move(body), timeout_ms, std::move(done))
      ->Ask(DefinitionWords(ft, *entry));
}

base::Status ShardError(const std::string& address, const char* verb, const base::Status& status) {
  using base::StatusCode;
  if (status.code() == StatusCode::kInvalidArgument || status.code() == StatusCode::kPermissionDenied) return status;
  return {status.code(), fmt::format("ERR the shard {} did not {}: {}", address, verb, status.message())};
}

}  // namespace redoubt::ft
