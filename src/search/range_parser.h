#pragma once

#include <memory>
#include <string>
#include <vector>

#include "search/query_scanner.h"

namespace redoubt::search {

// Reads what follows "@field:[VECTOR_RANGE": a radius, "$blob ]", then optionally "=>{$YIELD_DISTANCE_AS: name;
// $EPSILON: e}". The name, where there is one, is added to `names`. `offset` is that of the field's name.
base::Result<std::unique_ptr<FilterNode>> ParseVectorRange(QueryScanner& scan, const IndexDefinition& definition,
                                                           size_t field, size_t offset,
                                                           std::vector<std::string>& names);

}  // namespace redoubt::search
