#include "module/ft/measure_candidates.h"

#include <cmath>
#include <optional>
#include <string_view>

#include "module/host/key.h"
#include "search/rank.h"
#include "vector/query_vector.h"

namespace redoubt::ft {
namespace {

class Measure {
 public:
  Measure(host::Context& ctx, const search::KnnClause& knn)
      : ctx_(ctx), path_(knn.path), blob_bytes_(knn.blob.size()), query_(knn.type, knn.metric, knn.blob) {}

  std::optional<double> operator()(const search::FoundDocument& document) {
    host::String name(document.key);
    host::Key key = host::Key::ForRead(ctx_, name.raw());
    if (key.type() != REDISMODULE_KEYTYPE_HASH) return std::nullopt;
    RedisModuleString* value = nullptr;
    RedisModule_HashGet(key.raw(), REDISMODULE_HASH_NONE, path_.raw(), &value, nullptr);
    if (value == nullptr) return std::nullopt;
    const std::string_view blob = host::View(value);
    const double distance = blob.size() == blob_bytes_ ? query_.DistanceTo(blob) : std::nan("");
    RedisModule_FreeString(nullptr, value);
    return std::isfinite(distance) ? std::optional<double>(distance) : std::nullopt;
  }

 private:
  host::Context& ctx_;
  const host::String path_;
  const size_t blob_bytes_;
  const vector::QueryVector query_;
};

}  // namespace

void MeasureCandidates(host::Context& ctx, const search::SearchPlan& plan, search::SearchOutcome& outcome) {
  if (!outcome.candidates) return;
  Measure measure(ctx, *plan.query.knn);
  search::RankCandidates(
      plan, [&](const search::FoundDocument& document) { return measure(document); }, outcome);
}

}  // namespace redoubt::ft
