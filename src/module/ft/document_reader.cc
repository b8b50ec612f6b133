#include "module/ft/document_reader.h"

#include <optional>
#include <vector>

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

}  // namespace

std::string_view View(const RedisModuleString* string) {
  size_t size = 0;
  const char* text = RedisModule_StringPtrLen(string, &size);
  return {text, size};
}

void IndexKey(RedisModuleString* name, RedisModuleKey* key, IndexEntry& entry) {
  std::string_view key_name = View(name);
  if (!entry.definition().Covers(key_name)) return;
  if (RedisModule_KeyType(key) != REDISMODULE_KEYTYPE_HASH) {
    entry.live->Remove(key_name);
    return;
  }
  HashFields fields(key, entry.definition().fields);
  entry.live->Put(key_name, fields.values());
}

}  // namespace redoubt::ft
