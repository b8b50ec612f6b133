#include "module/ft/measure_candidates.h"

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "module/ft/json_document.h"
#include "module/host/key.h"
#include "search/rank.h"
#include "vector/query_vector.h"

namespace redoubt::ft {
namespace {

class Measure {
 public:
  Measure(host::Context& ctx, const search::KnnClause& knn)
      : ctx_(ctx),
        path_(knn.path),
        type_(knn.type),
        blob_bytes_(knn.blob.size()),
        query_(knn.type, knn.metric, knn.blob) {}

  std::optional<double> operator()(const search::FoundDocument& document) {
    host::String name(document.key);
    host::Key key = host::Key::ForRead(ctx_, name.raw());
    if (key.type() == REDISMODULE_KEYTYPE_MODULE) return OfJson(name.raw());
    if (key.type() != REDISMODULE_KEYTYPE_HASH) return std::nullopt;
    RedisModuleString* value = nullptr;
    RedisModule_HashGet(key.raw(), REDISMODULE_HASH_NONE, path_.raw(), &value, nullptr);
    if (value == nullptr) return std::nullopt;
    const std::string_view blob = host::View(value);
    const std::optional<double> distance = To(blob);
    RedisModule_FreeString(nullptr, value);
    return distance;
  }

 private:
  std::optional<double> To(std::string_view blob) const {
    const double distance = blob.size() == blob_bytes_ ? query_.DistanceTo(blob) : std::nan("");
    return std::isfinite(distance) ? std::optional<double>(distance) : std::nullopt;
  }
  std::optional<double> OfJson(RedisModuleString* name) {
    const std::string path(path_.view());
    const std::optional<std::vector<base::Json>> found = ReadJson(ctx_, name, {&path, 1});
    if (!found || (*found)[0].size() != 1) return std::nullopt;
    const std::optional<std::string> blob = VectorBlob(type_, (*found)[0][0]);
    return blob ? To(*blob) : std::nullopt;
  }

  host::Context& ctx_;
  const host::String path_;
  const vector::ElementType type_;
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
