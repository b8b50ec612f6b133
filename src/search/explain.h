#pragma once

#include <string>

#include "search/query.h"
#include "search/schema.h"

namespace redoubt::search {

// A query as a tree of lines, each level two blanks further in: what FT.EXPLAIN shows. Ends with a line end.
std::string Explain(const Query& query, const IndexDefinition& definition);

// The word for a node in FT.EXPLAIN and FT.PROFILE: "INTERSECT", "UNION", "TAG", ...
std::string FilterNodeName(const FilterNode& node);
// What a leaf looks for, in a few words: "a | b", "1 <= @n < 2"; nothing for a node with children.
std::string FilterNodeTerm(const FilterNode& node, const IndexDefinition& definition);

}  // namespace redoubt::search
