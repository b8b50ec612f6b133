#pragma once

#include "search/query_scanner.h"

namespace redoubt::search {

// Reads "[KNN k @field $blob ...]" and a following "=>{$YIELD_DISTANCE_AS: name; ...}". `filtered` says whether
// anything but `*` stands before it: some attributes only mean something then.
base::Result<KnnClause> ParseKnn(QueryScanner& scan, const IndexDefinition& definition, bool filtered);

// "$name": the vector that the parameter holds, in the size that the field's vectors have.
base::Result<std::string> ParseVectorBlob(QueryScanner& scan, const VectorOptions& options);

}  // namespace redoubt::search
