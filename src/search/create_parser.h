#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "search/args.h"
#include "search/schema.h"

namespace redoubt::search {

// The arguments of FT.CREATE after the command's name. Error texts are those that clients of RediSearch 2.10 know;
// what this version does not have is refused by name.
Result<IndexDefinition> ParseCreate(std::span<const std::string_view> args);

// Reads fields, as after SCHEMA, to the end and adds them to `definition`.
Status ParseFields(ArgCursor& args, IndexDefinition& definition);

// Arguments from which ParseCreate() makes an equal definition: the form kept in the RDB.
std::vector<std::string> CreateArgs(const IndexDefinition& definition);

}  // namespace redoubt::search
