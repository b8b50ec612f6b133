#include "module/ft/json_document.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "module/ft/redisjson_api.h"
#include "module/host/call.h"
#include "module/host/key.h"
#include "search/text_index.h"
#include "tensor/float16.h"

namespace redoubt::ft {
namespace {

using base::Json;
using vector::ElementType;

std::string FromRoot(std::string_view path) {
  if (path.starts_with('$')) return std::string(path);
  return (path.starts_with('.') ? "$" : "$.") + std::string(path);
}

// Nothing for an error: the key is gone, or of another type.
std::optional<std::string> Get(host::Context& ctx, RedisModuleString* key, const std::vector<std::string>& paths) {
  std::vector<host::String> strings;
  std::vector<RedisModuleString*> words;
  for (const std::string& path : paths) words.push_back(strings.emplace_back(path).raw());
  host::CallReply reply(RedisModule_Call(ctx.raw(), "JSON.GET", "sv", key, words.data(), words.size()));
  if (reply.raw() == nullptr || RedisModule_CallReplyType(reply.raw()) != REDISMODULE_REPLY_STRING) return std::nullopt;
  size_t size = 0;
  const char* text = RedisModule_CallReplyStringPtr(reply.raw(), &size);
  return std::string(text, size);
}

std::optional<std::vector<Json>> FindIn(const RedisJsonApi& api, host::Context& ctx, RedisModuleString* key,
                                        const std::vector<std::string>& paths) {
  const void* document = api.Open(ctx, key);
  if (document == nullptr) return std::nullopt;
  std::vector<Json> matches;
  for (const std::string& path : paths) {
    base::Result<Json> found = base::ParseJson(api.Find(ctx, document, path));
    matches.push_back(found.ok() && found->is_array() ? std::move(*found) : Json::array());
  }
  return matches;
}

std::optional<std::vector<Json>> FindByCommand(host::Context& ctx, RedisModuleString* key,
                                               std::vector<std::string> paths) {
  const size_t count = paths.size();
  // A second path in any case: with one alone the reply has another form.
  paths.emplace_back("$.__none__");
  const std::optional<std::string> text = Get(ctx, key, paths);
  if (!text) return std::nullopt;
  base::Result<Json> found = base::ParseJson(*text);
  if (!found.ok() || found->is_object() == (count == 0)) return std::nullopt;
  std::vector<Json> matches;
  for (size_t i = 0; i < count; ++i) {
    const auto at = found->find(paths[i]);
    matches.push_back(at != found->end() && at->is_array() ? *at : Json::array());
  }
  return matches;
}

template <class Element>
void Append(std::string& blob, Element element) {
  blob.append(reinterpret_cast<const char*>(&element), sizeof(element));
}

template <class Element>
bool AppendInteger(std::string& blob, double value) {
  if (value != std::trunc(value) || value < std::numeric_limits<Element>::min() ||
      value > std::numeric_limits<Element>::max()) {
    return false;
  }
  Append(blob, static_cast<Element>(value));
  return true;
}

bool AppendElement(ElementType type, double value, std::string& blob) {
  switch (type) {
    case ElementType::kFloat32:
      Append(blob, static_cast<float>(value));
      return true;
    case ElementType::kFloat64:
      Append(blob, value);
      return true;
    case ElementType::kFloat16:
      Append(blob, tensor::FloatToHalf(static_cast<float>(value)));
      return true;
    case ElementType::kBFloat16:
      Append(blob, tensor::FloatToBFloat16(static_cast<float>(value)));
      return true;
    case ElementType::kInt8:
      return AppendInteger<int8_t>(blob, value);
    case ElementType::kUInt8:
      return AppendInteger<uint8_t>(blob, value);
  }
  return false;
}

std::string AsText(const Json& value) { return value.is_string() ? value.get<std::string>() : base::DumpJson(value); }

// Matches that are arrays stand for what is in them.
std::vector<const Json*> Flatten(const Json& matches) {
  std::vector<const Json*> values;
  for (const Json& match : matches) {
    if (!match.is_array()) {
      if (!match.is_null()) values.push_back(&match);
      continue;
    }
    for (const Json& element : match) {
      if (!element.is_null()) values.push_back(&element);
    }
  }
  return values;
}

// What no field takes when one of them is no vector of its dim: a size that no vector has.
std::string JoinVectors(const std::vector<const Json*>& vectors, const search::VectorOptions& options) {
  std::string joined;
  if (vectors.size() > 1 && !options.several) return joined;
  for (const Json* vector : vectors) {
    const std::optional<std::string> blob = VectorBlob(options.type, *vector);
    if (!blob || (vectors.size() > 1 && blob->size() != options.blob_bytes())) return {};
    joined += *blob;
  }
  return joined;
}

std::optional<std::string> Join(const std::vector<const Json*>& values, char between) {
  if (values.empty()) return std::nullopt;
  std::string joined;
  for (const Json* value : values) {
    if (!joined.empty()) joined += between;
    joined += AsText(*value);
  }
  return joined;
}

// As JSON, so that a text that looks like a number is none.
std::optional<std::string> JoinJson(const std::vector<const Json*>& values) {
  if (values.empty()) return std::nullopt;
  std::string joined;
  for (const Json* value : values) {
    if (!joined.empty()) joined += ',';
    joined += base::DumpJson(*value);
  }
  return joined;
}

}  // namespace

bool HasJson(host::Context& ctx) {
  host::CallReply reply(RedisModule_Call(ctx.raw(), "COMMAND", "cc", "INFO", "json.get"));
  if (reply.raw() == nullptr || RedisModule_CallReplyType(reply.raw()) != REDISMODULE_REPLY_ARRAY) return false;
  RedisModuleCallReply* first = RedisModule_CallReplyArrayElement(reply.raw(), 0);
  return first != nullptr && RedisModule_CallReplyType(first) == REDISMODULE_REPLY_ARRAY;
}

std::optional<std::vector<Json>> ReadJson(host::Context& ctx, RedisModuleString* key,
                                          std::span<const std::string> paths) {
  std::vector<std::string> from_root;
  for (const std::string& path : paths) from_root.push_back(FromRoot(path));
  const std::optional<RedisJsonApi> api = RedisJsonApi::Of(ctx);
  return api ? FindIn(*api, ctx, key, from_root) : FindByCommand(ctx, key, std::move(from_root));
}

std::optional<std::string> ReadWholeJson(host::Context& ctx, RedisModuleString* key) {
  const std::optional<RedisJsonApi> api = RedisJsonApi::Of(ctx);
  if (!api) return Get(ctx, key, {});
  const void* document = api->Open(ctx, key);
  return document == nullptr ? std::nullopt : api->Text(ctx, document);
}

std::optional<std::string> VectorBlob(ElementType type, const Json& vector) {
  if (!vector.is_array()) return std::nullopt;
  std::string blob;
  blob.reserve(vector.size() * vector::ElementBytes(type));
  for (const Json& element : vector) {
    if (!element.is_number() || !AppendElement(type, element.get<double>(), blob)) return std::nullopt;
  }
  return blob;
}

std::vector<const Json*> VectorsIn(const Json& matches, bool several) {
  std::vector<const Json*> vectors;
  for (const Json& match : matches) {
    if (match.is_null()) continue;
    const auto may_be_vector = [](const Json& element) { return element.is_array() || element.is_null(); };
    if (!several || !match.is_array() || !std::all_of(match.begin(), match.end(), may_be_vector)) {
      vectors.push_back(&match);
      continue;
    }
    for (const Json& vector : match) {
      if (!vector.is_null()) vectors.push_back(&vector);
    }
  }
  return vectors;
}

std::optional<std::string> HashValue(const search::Field& field, const Json& matches) {
  if (field.type == search::FieldType::kVector) {
    const std::vector<const Json*> vectors = VectorsIn(matches, field.vector.several);
    if (vectors.empty()) return std::nullopt;
    return JoinVectors(vectors, field.vector);
  }
  const std::vector<const Json*> values = Flatten(matches);
  if (field.type == search::FieldType::kNumeric) return JoinJson(values);
  return Join(values, field.type == search::FieldType::kTag ? field.tag.separator : search::kBetweenTexts);
}

std::optional<std::string> ShownValue(const Json& matches) {
  if (matches.empty()) return std::nullopt;
  return AsText(matches[0]);
}

}  // namespace redoubt::ft
