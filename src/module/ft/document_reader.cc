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
  HashFields(RedisModuleKey* key, const std::vector<search::Field>& fields) {
    for (const search::Field& field : fields) {
      RedisModuleString* value = nullptr;
      RedisModule_HashGet(key, REDISMODULE_HASH_CFIELDS, field.path.c_str(), &value, nullptr);
      strings_.push_back(value);
      values_.push_back(value == nullptr ? std::nullopt : std::optional<std::string_view>(View(value)));
    }
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
  std::vector<RedisModuleString*> strings_;
  std::vector<std::optional<std::string_view>> values_;
};

void IndexJson(RedisModuleString* name, IndexEntry& entry) {
  const std::vector<search::Field>& fields = entry.definition().fields;
  std::vector<std::string> paths;
  for (const search::Field& field : fields) paths.push_back(field.path);
  host::Context effects = host::EffectsContext::InDatabase(0);
  const std::optional<std::vector<base::Json>> found = ReadJson(effects, name, paths);
  if (!found) {
    entry.live->Remove(View(name));
    return;
  }
  std::vector<std::optional<std::string>> texts;
  for (size_t i = 0; i < fields.size(); ++i) texts.push_back(HashValue(fields[i], (*found)[i]));
  const std::vector<std::optional<std::string_view>> values(texts.begin(), texts.end());
  entry.live->Put(View(name), values);
}

}  // namespace

std::string_view View(const RedisModuleString* string) {
  size_t size = 0;
  const char* text = RedisModule_StringPtrLen(string, &size);
  return {text, size};
}

void IndexKey(RedisModuleString* name, RedisModuleKey* key, IndexEntry& entry) {
  std::string_view key_name = View(name);
  if (!entry.definition().Covers(key_name)) return;
  const bool json = entry.definition().json;
  if (RedisModule_KeyType(key) != (json ? REDISMODULE_KEYTYPE_MODULE : REDISMODULE_KEYTYPE_HASH)) {
    entry.live->Remove(key_name);
    return;
  }
  if (json) return IndexJson(name, entry);
  HashFields fields(key, entry.definition().fields);
  entry.live->Put(key_name, fields.values());
}

}  // namespace redoubt::ft
