#include "module/ft/recall_probe.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "module/ft/ft_module.h"
#include "module/ft/measure_candidates.h"

namespace redoubt::ft {
namespace {

int64_t Now() { return base::SystemClock().SteadyMicros(); }

}  // namespace

RecallProbe::RecallProbe(FtModule& ft, const std::shared_ptr<IndexEntry>& entry, RecallRequest request)
    : ft_(ft), live_(entry->live), field_(entry->definition().fields[request.field]), request_(request) {}

void RecallProbe::Start(FtModule& ft, host::Context& ctx, const std::shared_ptr<IndexEntry>& entry,
                        RecallRequest request) {
  std::unique_ptr<RecallProbe> probe(new RecallProbe(ft, entry, request));
  const auto seed = static_cast<uint64_t>(Now());
  for (std::string& key : entry->live->SampleVectors(request.field, request.sample, seed)) {
    probe->probes_.emplace_back().key = std::move(key);
  }
  RecallProbe* running = probe.get();
  running->client_ = host::BlockedClient::Block(ctx, std::move(probe));
  ft.loader().Add(running);
}

// With its vector as the query. False: it has none any more.
bool RecallProbe::PlanFor(host::Context& effects, Probe& probe) const {
  std::optional<std::string> blob = ft::ReadVector(effects, probe.key, field_.path, field_.vector.type);
  if (!blob || blob->size() != field_.vector.blob_bytes()) return false;
  search::SearchPlan& plan = probe.plan;
  plan.query.filter = std::make_unique<search::FilterNode>();
  plan.query.filter->kind = search::FilterNode::Kind::kAll;
  search::KnnClause& knn = plan.query.knn.emplace();
  knn.field = request_.field;
  knn.k = request_.k + 1;  // one of them is the document itself
  knn.blob = std::move(*blob);
  knn.without = probe.key;
  if (request_.ef_runtime > 0) knn.ef_runtime = request_.ef_runtime;
  knn.graph = true;
  knn.path = field_.path;
  knn.type = field_.vector.type;
  knn.metric = field_.vector.metric;
  plan.limit = knn.k;
  return true;
}

bool RecallProbe::LoadSome(host::Context& effects, int64_t until_us) {
  while (next_ < probes_.size() && !ft_.stopping()) {
    Probe& probe = probes_[next_];
    if (phase_ == Phase::kReadingVectors) {
      if (!PlanFor(effects, probe)) {
        probes_.erase(probes_.begin() + static_cast<ptrdiff_t>(next_));
        continue;
      }
    } else {
      MeasureCandidates(effects, probe.plan, probe.walked);
      MeasureCandidates(effects, probe.plan, probe.exact);
    }
    ++next_;
    if (Now() >= until_us) break;
  }
  return next_ >= probes_.size() || ft_.stopping();
}

void RecallProbe::ContinueOnReader() {
  phase_ = phase_ == Phase::kReadingVectors ? Phase::kSearching : Phase::kDone;
  if (phase_ == Phase::kDone || !ft_.RunOnReader([this] { Continue(); })) client_->Unblock();
}

void RecallProbe::Continue() {
  for (Probe& probe : probes_) {
    if (ft_.stopping()) break;
    Search(probe);
  }
  phase_ = Phase::kMeasuring;
  next_ = 0;
  ft_.loader().Add(this);
}

void RecallProbe::Search(Probe& probe) {
  auto stop = [this] { return ft_.stopping(); };
  const int64_t begin = Now();
  probe.walked = live_->Search(probe.plan, stop);
  const int64_t walked = Now();
  probe.plan.query.knn->exact = true;
  probe.exact = live_->Search(probe.plan, stop);
  walk_us_ += walked - begin;
  exact_us_ += Now() - walked;
}

size_t RecallProbe::EfRuntime() const {
  if (request_.ef_runtime > 0) return request_.ef_runtime;
  const size_t tuned = live_->Graph(request_.field)->tuned_ef();
  return tuned > 0 ? tuned : field_.vector.graph.ef_runtime;
}

// The share of the k nearest, without the document itself, that the walk found.
double RecallProbe::RecallOf(const Probe& probe) const {
  auto keys = [&](const search::SearchOutcome& outcome) {
    std::vector<std::string_view> found;
    for (const search::FoundDocument& document : outcome.documents) {
      if (document.key != probe.key && found.size() < request_.k) found.push_back(document.key);
    }
    std::sort(found.begin(), found.end());
    return found;
  };
  const std::vector<std::string_view> exact = keys(probe.exact);
  const std::vector<std::string_view> walked = keys(probe.walked);
  std::vector<std::string_view> both;
  std::set_intersection(exact.begin(), exact.end(), walked.begin(), walked.end(), std::back_inserter(both));
  return exact.empty() ? 1 : static_cast<double>(both.size()) / static_cast<double>(exact.size());
}

void RecallProbe::Reply(host::Context& ctx) {
  if (ft_.stopping() || phase_ != Phase::kDone) return ctx.ReplyError("the server is shutting down");
  double sum = 0;
  double worst = 1;
  for (const Probe& probe : probes_) {
    const double recall = RecallOf(probe);
    sum += recall;
    worst = std::min(worst, recall);
  }
  const auto count = static_cast<double>(std::max<size_t>(1, probes_.size()));
  ctx.ReplyMap(8);
  ctx.ReplyStatus("recall");
  ctx.ReplyDouble(probes_.empty() ? 1 : sum / count);
  ctx.ReplyStatus("worst_recall");
  ctx.ReplyDouble(worst);
  ctx.ReplyStatus("sampled");
  ctx.ReplyInteger(static_cast<int64_t>(probes_.size()));
  ctx.ReplyStatus("k");
  ctx.ReplyInteger(static_cast<int64_t>(request_.k));
  ctx.ReplyStatus("ef_runtime");
  ctx.ReplyInteger(static_cast<int64_t>(EfRuntime()));
  ctx.ReplyStatus("documents");
  ctx.ReplyInteger(static_cast<int64_t>(live_->Stats().documents));
  ctx.ReplyStatus("walk_us");
  ctx.ReplyDouble(static_cast<double>(walk_us_) / count);
  ctx.ReplyStatus("exact_us");
  ctx.ReplyDouble(static_cast<double>(exact_us_) / count);
}

}  // namespace redoubt::ft
