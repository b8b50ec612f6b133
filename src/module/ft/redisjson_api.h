#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "module/host/context.h"

namespace redoubt::ft {

// The functions that RedisJSON lends to other modules since 2.4 (RM_GetSharedAPI "RedisJSON_V3"). They read the
// keyspace as it is, where JSON.GET obeys what a cluster thinks of the key: on a replica, in a slot that is being
// imported and while the cluster is down the server refuses the command, and the document would be lost. Main thread
// only.
class RedisJsonApi {
 public:
  // Nothing: the server has no RedisJSON, or one that is too old.
  static std::optional<RedisJsonApi> Of(host::Context& ctx);

  // The document in the database of `ctx`, valid until any key is touched; null when the key holds none. `key` must be
  // one that may be retained.
  const void* Open(host::Context& ctx, RedisModuleString* key) const;
  // All that a path finds, as the text of an array.
  std::string Find(host::Context& ctx, const void* document, const std::string& path) const;
  // The text of the whole document.
  std::optional<std::string> Text(host::Context& ctx, const void* document) const;

 private:
  using Function = void (*)();
  RedisJsonApi(const Function* table, size_t free_iterator) : table_(table), free_iterator_(free_iterator) {}

  const Function* table_;
  size_t free_iterator_;  // its place in the table
};

}  // namespace redoubt::ft
