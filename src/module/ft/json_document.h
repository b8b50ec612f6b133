#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "module/host/context.h"
#include "search/schema.h"

// Documents of the server's JSON module (RedisJSON, valkey-json). Modules cannot look into each other's values, so they
// are read by the functions that RedisJSON lends (redisjson_api.h), else by the command JSON.GET. A key that is open
// while they are read may be freed: reading it expires it. Main thread only.
namespace redoubt::ft {

// Whether the server has JSON.GET.
bool HasJson(host::Context& ctx);

// What each path finds in the document, as an array of all matches; nothing when the key is no JSON document. A path
// that does not begin with $ begins at the root: `name` is $.name.
std::optional<std::vector<base::Json>> ReadJson(host::Context& ctx, RedisModuleString* key,
                                                std::span<const std::string> paths);

// The text of the whole document; nothing when the key is no JSON document.
std::optional<std::string> ReadWholeJson(host::Context& ctx, RedisModuleString* key);

// The value that a hash would have for this field; nothing when nothing, or null, was found. What does not fit the
// field becomes a text that the index refuses, so that the document is counted as malformed.
std::optional<std::string> HashValue(const search::Field& field, const base::Json& matches);

// The vectors among the matches of a field's path, without nulls: each match is one, or, where there may be `several`,
// an array of them.
std::vector<const base::Json*> VectorsIn(const base::Json& matches, bool several);

// A vector as the blob of its elements; nothing when it is no array of numbers that fit `type`.
std::optional<std::string> VectorBlob(vector::ElementType type, const base::Json& vector);

// What a reply shows of a path: the first match, texts as they are, all else as JSON; nothing when nothing was found.
std::optional<std::string> ShownValue(const base::Json& matches);

}  // namespace redoubt::ft
