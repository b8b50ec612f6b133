#include <fmt/core.h>

#include <optional>

#include "module/ft/ft_module.h"
#include "module/ft/recall_probe.h"

namespace redoubt::ft {
namespace {

using base::InvalidArgument;

// Each document's candidates are measured with the vectors in their keys, so their number has a bound.
constexpr int64_t kMaxSample = 10'000;
constexpr int64_t kMaxK = 1000;
constexpr int64_t kMaxNeighbours = 100'000;
constexpr int64_t kMaxEf = 1'000'000;

// The position of args[3] among the fields of the index.
base::Result<size_t> GraphOf(const search::IndexDefinition& definition, std::string_view name) {
  const std::optional<size_t> field = definition.FindField(name);
  if (!field) return base::NotFound(fmt::format("No such field `{}`", name));
  const search::Field& known = definition.fields[*field];
  if (known.type != search::FieldType::kVector || known.vector.algorithm != search::VectorAlgorithm::kHnsw) {
    return InvalidArgument(fmt::format("`{}` is no VECTOR HNSW field; the others answer exactly", name));
  }
  return *field;
}

base::Result<RecallRequest> ParseRecall(const host::Args& args, size_t field) {
  RecallRequest request;
  request.field = field;
  auto number = [&](size_t i, int64_t most, size_t& into) {
    const std::optional<int64_t> value = args.Integer(i);
    if (!value || *value < 1 || *value > most) return false;
    into = static_cast<size_t>(*value);
    return true;
  };
  if (args.size() > 4 && !number(4, kMaxSample, request.sample)) {
    return InvalidArgument(fmt::format("`{}` documents cannot be sampled, 1 to {} can", args[4], kMaxSample));
  }
  if (args.size() > 5 && !number(5, kMaxK, request.k)) {
    return InvalidArgument(fmt::format("k is `{}`, it may be 1 to {}", args[5], kMaxK));
  }
  if (static_cast<int64_t>(request.sample * request.k) > kMaxNeighbours) {
    return InvalidArgument(fmt::format("{} documents with {} neighbours each are more than {}; ask for fewer",
                                       request.sample, request.k, kMaxNeighbours));
  }
  if (args.size() > 6) {
    if (!args.Is(6, "EF_RUNTIME") || args.size() != 8) {
      return InvalidArgument(
          fmt::format("`{}` is not understood; what may follow is EF_RUNTIME and a number", args[6]));
    }
    if (!number(7, kMaxEf, request.ef_runtime)) {
      return InvalidArgument(fmt::format("EF_RUNTIME is `{}`, it may be 1 to {}", args[7], kMaxEf));
    }
  }
  return request;
}

// The graph looked at by a reader thread.
class HealthProbe final : public host::Completion {
 public:
  HealthProbe(FtModule& ft, std::shared_ptr<vector::HnswIndex> graph) : ft_(ft), graph_(std::move(graph)) {}

  void Run() {
    health_ = graph_->Health([this] { return ft_.stopping(); });
  }

  void Reply(host::Context& ctx) override {
    if (ft_.stopping()) return ctx.ReplyError("the server is shutting down");
    const std::pair<const char*, size_t> counts[] = {
        {"vectors", health_.vectors},     {"staged", health_.staged},           {"removed", health_.removed},
        {"levels", health_.levels},       {"unreachable", health_.unreachable}, {"fewest_links", health_.fewest_links},
        {"bytes", graph_->memory_bytes()}};
    ctx.ReplyMap(std::size(counts) + 1);
    for (const auto& [name, count] : counts) {
      ctx.ReplyStatus(name);
      ctx.ReplyInteger(static_cast<int64_t>(count));
    }
    ctx.ReplyStatus("mean_links");
    ctx.ReplyDouble(health_.mean_links);
  }

 private:
  FtModule& ft_;
  const std::shared_ptr<vector::HnswIndex> graph_;
  vector::HnswHealth health_;
};

base::Status Recall(FtModule& ft, host::Context& ctx, const host::Args& args, const std::shared_ptr<IndexEntry>& entry,
                    size_t field) {
  const base::Result<RecallRequest> request = ParseRecall(args, field);
  if (!request.ok()) return ReplyFtError(ctx, request.status());
  if (entry->definition().fields[field].vector.several) {
    return ReplyFtError(ctx, base::Unimplemented("FT.DEBUG RECALL measures fields with one vector per document"));
  }
  RecallProbe::Start(ft, ctx, entry, *request);
  return base::OkStatus();
}

base::Status Health(FtModule& ft, host::Context& ctx, const host::Args& args, const std::shared_ptr<IndexEntry>& entry,
                    size_t field) {
  if (args.size() != 4) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  auto probe = std::make_unique<HealthProbe>(ft, entry->live->Graph(field));
  HealthProbe* running = probe.get();
  host::BlockedClient* client = host::BlockedClient::Block(ctx, std::move(probe));
  const bool runs = ft.RunOnReader([running, client] {
    running->Run();
    client->Unblock();
  });
  if (!runs) client->Unblock();
  return base::OkStatus();
}

}  // namespace

// FT.DEBUG RECALL index field [sample [k [EF_RUNTIME ef]]] | GRAPH index field
base::Status FtDebug(FtModule& ft, host::Context& ctx, host::Args args) {
  const bool recall = args.Is(1, "RECALL");
  if (!recall && !args.Is(1, "GRAPH")) {
    return ReplyFtError(ctx, InvalidArgument(fmt::format("FT.DEBUG has no `{}`, it has RECALL and GRAPH", args[1])));
  }
  if (args.size() < 4 || args.size() > 8) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  const std::shared_ptr<IndexEntry> entry = ft.indexes().Find(args[2]);
  if (entry == nullptr) return ReplyFtError(ctx, base::NotFound(fmt::format("{}: no such index", args[2])));
  const base::Result<size_t> field = GraphOf(entry->definition(), args[3]);
  if (!field.ok()) return ReplyFtError(ctx, field.status());
  if (base::Status ready = ft.CheckMaySearch(); !ready.ok()) return ReplyFtError(ctx, ready);
  if (!ctx.CanBlock()) {
    return ReplyFtError(ctx, base::FailedPrecondition("FT.DEBUG takes too long for MULTI and scripts; send it alone"));
  }
  return (recall ? &Recall : &Health)(ft, ctx, args, entry, *field);
}

}  // namespace redoubt::ft
