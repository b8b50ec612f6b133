#include "module/ft/hash_reader.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "module/ft/json_document.h"
#include "module/host/call.h"
#include "module/host/key.h"

namespace redoubt::ft {
namespace {

std::string Element(RedisModuleCallReply* array, size_t i) {
  size_t size = 0;
  const char* text = RedisModule_CallReplyStringPtr(RedisModule_CallReplyArrayElement(array, i), &size);
  return text == nullptr ? std::string() : std::string(text, size);
}

bool ReadAll(host::Context& ctx, RedisModuleString* key, search::AggregateRow& row, size_t& bytes) {
  host::CallReply hash(RedisModule_Call(ctx.raw(), "HGETALL", "s", key));
  if (hash.raw() == nullptr || RedisModule_CallReplyType(hash.raw()) != REDISMODULE_REPLY_ARRAY) return false;
  size_t count = RedisModule_CallReplyLength(hash.raw());
  for (size_t i = 0; i + 1 < count; i += 2) {
    const auto& [name, value] = row.extra.emplace_back(Element(hash.raw(), i), Element(hash.raw(), i + 1));
    bytes += name.size() + value.size();
  }
  return count > 0;
}

bool ReadJsonRow(host::Context& ctx, RedisModuleString* key, const search::LoadStep& step, search::AggregateRow& row,
                 size_t& bytes) {
  std::vector<std::string> paths;
  for (const search::LoadStep::Source& source : step.fields) paths.push_back(source.path);
  const std::optional<std::vector<base::Json>> found = ReadJson(ctx, key, paths);
  if (!found) return false;
  for (size_t i = 0; i < paths.size(); ++i) {
    std::optional<std::string> text = ShownValue((*found)[i]);
    if (!text) continue;
    bytes += text->size();
    row.values[step.fields[i].column] = search::Value(std::move(*text));
  }
  if (!step.everything) return true;
  std::optional<std::string> whole = ReadWholeJson(ctx, key);
  if (!whole) return false;
  bytes += whole->size();
  row.extra.emplace_back("$", std::move(*whole));
  return true;
}

}  // namespace

bool ReadRow(host::Context& ctx, RedisModuleString* name, const search::LoadStep& step, search::AggregateRow& row,
             size_t& bytes) {
  host::Key key = host::Key::ForRead(ctx, name);
  if (key.type() == REDISMODULE_KEYTYPE_MODULE) {
    key.Close();
    return ReadJsonRow(ctx, name, step, row, bytes);
  }
  if (key.type() != REDISMODULE_KEYTYPE_HASH) return false;
  for (const search::LoadStep::Source& source : step.fields) {
    RedisModuleString* value = nullptr;
    RedisModule_HashGet(key.raw(), REDISMODULE_HASH_CFIELDS, source.path.c_str(), &value, nullptr);
    if (value == nullptr) continue;
    row.values[source.column] = search::Value(std::string(host::View(value)));
    bytes += host::View(value).size();
    RedisModule_FreeString(nullptr, value);
  }
  key.Close();
  return !step.everything || ReadAll(ctx, name, row, bytes);
}

}  // namespace redoubt::ft
