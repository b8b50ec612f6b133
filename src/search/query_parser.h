#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "search/query.h"
#include "search/schema.h"
#include "search/text_settings.h"

namespace redoubt::search {

// Name and value of each PARAMS pair; values may be binary.
using Params = std::vector<std::pair<std::string_view, std::string_view>>;

// Reads a query of FT.SEARCH: filter leaves @tag:{a|b*|"c d"}, @n:[lo (hi], @n>=lo, @v:[VECTOR_RANGE r $blob],
// words, "phrases", pre*, *suf, *in*, @text:(words), ismissing(@f), `*`, joined by juxtaposition (and), `|` (or), `-`
// (not), `~` (optional), parentheses, then optionally =>[KNN k @field $blob ...]. Depth and size are bounded, so any
// bytes are safe. Dialect 1 binds `|` tighter than juxtaposition and knows no vectors. Errors name offset and text.
base::Result<Query> ParseQuery(std::string_view text, const Params& params, int dialect,
                               const IndexDefinition& definition, const TextSettings& settings = {});

}  // namespace redoubt::search
