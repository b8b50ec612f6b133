#include "module/ft/measure_candidates.h"

#include <cmath>
#include <string_view>
#include <vector>

#include "module/ft/json_document.h"
#include "search/rank.h"

namespace redoubt::ft {
namespace {

std::optional<std::string> OfJson(host::Context& ctx, RedisModuleString* name, const std::string& path,
                                  vector::ElementType type) {
  const std::optional<std::vector<base::Json>> found = ReadJson(ctx, name, {&path, 1});
  if (!found || (*found)[0].size() != 1) return std::nullopt;
  return VectorBlob(type, (*found)[0][0]);
}

// The value of a hash's field, as long as it lives. Empty: it has none.
host::String OfHash(const host::Key& key, const host::String& path) {
  RedisModuleString* value = nullptr;
  RedisModule_HashGet(key.raw(), REDISMODULE_HASH_NONE, path.raw(), &value, nullptr);
  return host::String::Own(value);
}

}  // namespace

std::optional<std::string> ReadVector(host::Context& ctx, const std::string& key, const std::string& path,
                                      vector::ElementType type) {
  host::String name(key);
  host::Key opened = host::Key::ForRead(ctx, name.raw());
  if (opened.type() == REDISMODULE_KEYTYPE_MODULE) {
    opened.Close();
    return OfJson(ctx, name.raw(), path, type);
  }
  if (opened.type() != REDISMODULE_KEYTYPE_HASH) return std::nullopt;
  const host::String value = OfHash(opened, host::String(path));
  if (value.raw() == nullptr) return std::nullopt;
  return std::string(value.view());
}

KeyMeasure::KeyMeasure(host::Context& ctx, const search::KnnClause& knn)
    : ctx_(ctx),
      path_(knn.path),
      several_(knn.several),
      type_(knn.type),
      blob_bytes_(knn.blob.size()),
      query_(knn.type, knn.metric, knn.blob) {}

std::optional<double> KeyMeasure::operator()(const search::FoundDocument& document) {
  host::String name(document.key);
  host::Key key = host::Key::ForRead(ctx_, name.raw());
  if (key.type() == REDISMODULE_KEYTYPE_MODULE) {
    key.Close();
    return OfDocument(name.raw());
  }
  if (key.type() != REDISMODULE_KEYTYPE_HASH) return std::nullopt;
  const host::String value = OfHash(key, path_);
  return value.raw() == nullptr ? std::nullopt : To(value.view());
}

// The nearest of a JSON document's vectors.
std::optional<double> KeyMeasure::OfDocument(RedisModuleString* name) const {
  const std::string path(path_.view());
  const std::optional<std::vector<base::Json>> found = ReadJson(ctx_, name, {&path, 1});
  if (!found) return std::nullopt;
  const std::vector<const base::Json*> vectors = VectorsIn((*found)[0], several_);
  if (vectors.size() > 1 && !several_) return std::nullopt;
  std::optional<double> nearest;
  for (const base::Json* vector : vectors) {
    const std::optional<std::string> blob = VectorBlob(type_, *vector);
    const std::optional<double> distance = blob ? To(*blob) : std::nullopt;
    if (distance && (!nearest || *distance < *nearest)) nearest = distance;
  }
  return nearest;
}

std::optional<double> KeyMeasure::To(std::string_view blob) const {
  const double distance = blob.size() == blob_bytes_ ? query_.DistanceTo(blob) : std::nan("");
  return std::isfinite(distance) ? std::optional<double>(distance) : std::nullopt;
}

void MeasureCandidates(host::Context& ctx, const search::SearchPlan& plan, search::SearchOutcome& outcome) {
  if (!outcome.candidates) return;
  KeyMeasure measure(ctx, *plan.query.knn);
  search::RankCandidates(
      plan, [&](const search::FoundDocument& document) { return measure(document); }, outcome);
}

}  // namespace redoubt::ft
