#include "module/ft/document_reader.h"

#include <optional>
#include <string>
#include <vector>

#include "module/ft/json_document.h"
#include "module/host/blocked_client.h"

namespace redoubt::ft {
namespace {

// The server hands out a new string per field; they live until the values were indexed.
class HashFields {
 public:
  HashFields(RedisModuleKey* key, const search::IndexDefinition& definition) {
    for (const search::Field& field : definition.fields) Read(key, field.path);
    if (!definition.score_field.empty()) Read(key, definition.score_field);
    if (!definition.language_field.empty()) Read(key, definition.language_field);
  }
  ~HashFields() {
    for (RedisModuleString* string : strings_) {
      if (string != nullptr) RedisModule_FreeString(nullptr, string);
    }
  }
  HashFields(const HashFields&) = delete;
  HashFields& operator=(const HashFields&) = delete;

  search::FieldValues values() const { return values_; }

 private:
  void Read(RedisModuleKey* key, const std::string& path) {
    RedisModuleString* value = nullptr;
    RedisModule_HashGet(key, REDISMODULE_HASH_CFIELDS, path.c_str(), &value, nullptr);
    strings_.push_back(value);
    values_.push_back(value == nullptr ? std::nullopt : std::optional<std::string_view>(View(value)));
  }

  std::vector<RedisModuleString*> strings_;
  std::vector<std::optional<std::string_view>> values_;
};

void PutJson(RedisModuleString* name, IndexEntry& entry) {
  const search::IndexDefinition& definition = entry.definition();
  std::vector<std::string> paths;
  for (const search::Field& field : definition.fields) paths.push_back(field.path);
  if (!definition.score_field.empty()) paths.push_back(definition.score_field);
  if (!definition.language_field.empty()) paths.push_back(definition.language_field);
  host::Context effects = host::EffectsContext::InDatabase(0);
  const std::optional<std::vector<base::Json>> found = ReadJson(effects, name, paths);
  if (!found) {
    entry.live->Remove(View(name));
    return;
  }
  std::vector<std::optional<std::string>> texts;
  for (size_t i = 0; i < definition.fields.size(); ++i) texts.push_back(HashValue(definition.fields[i], (*found)[i]));
  for (size_t i = definition.fields.size(); i < found->size(); ++i) texts.push_back(ShownValue((*found)[i]));
  const std::vector<std::optional<std::string_view>> values(texts.begin(), texts.end());
  entry.live->Put(View(name), values);
}

// What a FILTER looks at.
std::vector<std::optional<std::string>> ReadJsonTexts(RedisModuleString* name, const std::vector<std::string>& paths) {
  std::vector<std::optional<std::string>> texts(paths.size());
  if (paths.empty()) return texts;
  host::Context effects = host::EffectsContext::InDatabase(0);
  const std::optional<std::vector<base::Json>> found = ReadJson(effects, name, paths);
  for (size_t i = 0; found && i < paths.size(); ++i) texts[i] = ShownValue((*found)[i]);
  return texts;
}

std::vector<std::optional<std::string>> ReadHashTexts(RedisModuleKey* key, const std::vector<std::string>& paths) {
  std::vector<std::optional<std::string>> texts;
  for (const std::string& path : paths) {
    RedisModuleString* value = nullptr;
    RedisModule_HashGet(key, REDISMODULE_HASH_CFIELDS, path.c_str(), &value, nullptr);
    texts.push_back(value == nullptr ? std::nullopt : std::optional<std::string>(View(value)));
    if (value != nullptr) RedisModule_FreeString(nullptr, value);
  }
  return texts;
}

// `texts`: what the paths of the filter found.
bool Passes(const IndexEntry& entry, RedisModuleString* name, std::vector<std::optional<std::string>> texts) {
  const std::vector<std::string>& paths = entry.filter->paths();
  search::Values values;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (!texts[i] && paths[i] == "__key") texts[i] = View(name);
    texts[i] ? values.emplace_back(std::move(*texts[i])) : values.emplace_back();
  }
  return entry.filter->Passes(values);
}

}  // namespace

std::string_view View(const RedisModuleString* string) {
  size_t size = 0;
  const char* text = RedisModule_StringPtrLen(string, &size);
  return {text, size};
}

void IndexHash(RedisModuleString* name, RedisModuleKey* key, IndexEntry& entry) {
  if (!entry.definition().Covers(View(name))) return;
  if (RedisModule_KeyType(key) != REDISMODULE_KEYTYPE_HASH ||
      (entry.filter && !Passes(entry, name, ReadHashTexts(key, entry.filter->paths())))) {
    entry.live->Remove(View(name));
    return;
  }
  entry.Use();
  HashFields fields(key, entry.definition());
  entry.live->Put(View(name), fields.values());
}

void IndexJson(RedisModuleString* name, int type, IndexEntry& entry) {
  if (!entry.definition().Covers(View(name))) return;
  if (type != REDISMODULE_KEYTYPE_MODULE ||
      (entry.filter && !Passes(entry, name, ReadJsonTexts(name, entry.filter->paths())))) {
    entry.live->Remove(View(name));
    return;
  }
  entry.Use();
  PutJson(name, entry);
}

}  // namespace redoubt::ft
