#include "module/ft/document_fields.h"

#include <fmt/core.h>

#include <cmath>
#include <utility>

#include "module/ft/json_document.h"

namespace redoubt::ft {

using search::FoundDocument;
using search::SearchPlan;

std::optional<std::string> LoadPayload(host::Context& ctx, RedisModuleString* name, const SearchPlan& plan,
                                       const FoundDocument& document) {
  if (document.fields) return document.payload;
  if (plan.payload_field.empty()) return std::nullopt;
  host::Key key = host::Key::ForRead(ctx, name);
  if (key.type() == REDISMODULE_KEYTYPE_MODULE) {
    key.Close();
    const std::optional<std::vector<base::Json>> found = ReadJson(ctx, name, {&plan.payload_field, 1});
    return found ? ShownValue((*found)[0]) : std::nullopt;
  }
  if (key.type() != REDISMODULE_KEYTYPE_HASH) return std::nullopt;
  RedisModuleString* value = nullptr;
  RedisModule_HashGet(key.raw(), REDISMODULE_HASH_CFIELDS, plan.payload_field.c_str(), &value, nullptr);
  const host::String owned = host::String::Own(value);
  return value == nullptr ? std::nullopt : std::optional<std::string>(owned.view());
}

std::optional<DocumentFields> DocumentFields::Load(host::Context& ctx, RedisModuleString* key, const SearchPlan& plan,
                                                   const FoundDocument& document) {
  DocumentFields fields;
  if (document.fields) {
    fields.texts_.assign(document.fields->begin(), document.fields->end());
    return fields;
  }
  const bool json = host::Key::ForRead(ctx, key).type() == REDISMODULE_KEYTYPE_MODULE;
  const bool there = json           ? fields.LoadJson(ctx, key, plan, document)
                     : plan.returns ? fields.LoadSome(ctx, key, plan, document)
                                    : fields.LoadAll(ctx, key, plan, document);
  if (!there) return std::nullopt;
  return fields;
}

void DocumentFields::AddDistance(std::string_view name, double distance) {
  Add(name, *made_.emplace_back(std::make_unique<std::string>(fmt::format("{:.12g}", distance))));
}

bool DocumentFields::TakeDistance(const SearchPlan& plan, const FoundDocument& document,
                                  const search::ReturnField& field) {
  if (plan.query.knn && field.path == plan.query.knn->distance_name) {
    AddDistance(field.name, document.distance);
    return true;
  }
  const std::optional<size_t> range = plan.query.FindRange(field.path);
  if (!range) return false;
  const double distance = document.RangeDistance(*range);
  if (!std::isnan(distance)) AddDistance(field.name, distance);
  return true;
}

void DocumentFields::AddDistances(const SearchPlan& plan, const FoundDocument& document) {
  if (plan.query.knn) AddDistance(plan.query.knn->distance_name, document.distance);
  for (size_t i = 0; i < plan.query.range_names.size(); ++i) {
    if (!std::isnan(document.RangeDistance(i))) AddDistance(plan.query.range_names[i], document.RangeDistance(i));
  }
}

bool DocumentFields::LoadJson(host::Context& ctx, RedisModuleString* name, const SearchPlan& plan,
                              const FoundDocument& document) {
  auto add = [this](std::string_view as, std::string text) {
    Add(as, *made_.emplace_back(std::make_unique<std::string>(std::move(text))));
  };
  if (!plan.returns) {
    AddDistances(plan, document);
    std::optional<std::string> whole = ReadWholeJson(ctx, name);
    if (whole) add("$", std::move(*whole));
    return whole.has_value();
  }
  std::vector<std::string> paths;
  for (const search::ReturnField& field : *plan.returns) paths.push_back(field.path);
  const std::optional<std::vector<base::Json>> found = ReadJson(ctx, name, paths);
  if (!found) return false;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (TakeDistance(plan, document, (*plan.returns)[i])) continue;
    std::optional<std::string> text = ShownValue((*found)[i]);
    if (text) add((*plan.returns)[i].name, std::move(*text));
  }
  return true;
}

bool DocumentFields::LoadSome(host::Context& ctx, RedisModuleString* name, const SearchPlan& plan,
                              const FoundDocument& document) {
  host::Key key = host::Key::ForRead(ctx, name);
  if (key.type() != REDISMODULE_KEYTYPE_HASH) return false;
  for (const search::ReturnField& field : *plan.returns) {
    if (TakeDistance(plan, document, field)) continue;
    RedisModuleString* value = nullptr;
    RedisModule_HashGet(key.raw(), REDISMODULE_HASH_CFIELDS, field.path.c_str(), &value, nullptr);
    if (value == nullptr) continue;
    strings_.push_back(host::String::Own(value));
    Add(field.name, strings_.back().view());
  }
  return true;
}

bool DocumentFields::LoadAll(host::Context& ctx, RedisModuleString* name, const SearchPlan& plan,
                             const FoundDocument& document) {
  AddDistances(plan, document);
  hash_.emplace(RedisModule_Call(ctx.raw(), "HGETALL", "s", name));
  if (hash_->raw() == nullptr || RedisModule_CallReplyType(hash_->raw()) != REDISMODULE_REPLY_ARRAY) return false;
  const size_t count = RedisModule_CallReplyLength(hash_->raw());
  for (size_t i = 0; i < count; ++i) {
    size_t size = 0;
    const char* text = RedisModule_CallReplyStringPtr(RedisModule_CallReplyArrayElement(hash_->raw(), i), &size);
    texts_.emplace_back(text, size);
  }
  return count > 0;
}

}  // namespace redoubt::ft
