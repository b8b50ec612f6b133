#include "module/ft/redisjson_api.h"

#include "module/host/key.h"

namespace redoubt::ft {
namespace {

// Places of functions in the table, whose address is lent under a name per version. Version 6 moved one to the front,
// and with it the one that frees an iterator; the others kept their places.
constexpr size_t kOpenKey = 0;
constexpr size_t kFind = 2;
constexpr size_t kFreeIterator = 5;
constexpr size_t kFreeIteratorV6 = 6;
constexpr size_t kTextOfValue = 13;
constexpr size_t kTextOfIterator = 19;

using OpenKey = const void* (*)(RedisModuleCtx*, RedisModuleString*);
using FindPath = const void* (*)(const void*, const char*);
using FreeIterator = void (*)(const void*);
using TextOf = int (*)(const void*, RedisModuleCtx*, RedisModuleString**);

std::optional<std::string> Taken(int status, RedisModuleString* text) {
  const host::String owned = host::String::Own(text);
  if (status != REDISMODULE_OK || text == nullptr) return std::nullopt;
  return std::string(owned.view());
}

}  // namespace

// Asked each time: JSON documents are rare where there is no RedisJSON, and it may be loaded later.
std::optional<RedisJsonApi> RedisJsonApi::Of(host::Context& ctx) {
  const auto* table = static_cast<const Function*>(RedisModule_GetSharedAPI(ctx.raw(), "RedisJSON_V3"));
  if (table == nullptr) return std::nullopt;
  const bool six = RedisModule_GetSharedAPI(ctx.raw(), "RedisJSON_V6") != nullptr;
  return RedisJsonApi(table, six ? kFreeIteratorV6 : kFreeIterator);
}

const void* RedisJsonApi::Open(host::Context& ctx, RedisModuleString* key) const {
  return reinterpret_cast<OpenKey>(table_[kOpenKey])(ctx.raw(), key);
}

std::string RedisJsonApi::Find(host::Context& ctx, const void* document, const std::string& path) const {
  const void* iterator = reinterpret_cast<FindPath>(table_[kFind])(document, path.c_str());
  if (iterator == nullptr) return "[]";  // no path
  RedisModuleString* text = nullptr;
  const int status = reinterpret_cast<TextOf>(table_[kTextOfIterator])(iterator, ctx.raw(), &text);
  reinterpret_cast<FreeIterator>(table_[free_iterator_])(iterator);
  return Taken(status, text).value_or("[]");  // without any match there is no text
}

std::optional<std::string> RedisJsonApi::Text(host::Context& ctx, const void* document) const {
  RedisModuleString* text = nullptr;
  const int status = reinterpret_cast<TextOf>(table_[kTextOfValue])(document, ctx.raw(), &text);
  return Taken(status, text);
}

}  // namespace redoubt::ft
