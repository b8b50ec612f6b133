#pragma once

#include <functional>

#include "search/document_table.h"
#include "search/field_index.h"
#include "search/text_query.h"

namespace redoubt::search {

// Adds the documents that match `clause`, whose fields are TEXT, to `into`, whose bound is that of the documents.
void CollectText(const TextClause& clause, const FieldIndexes& fields, const std::function<bool()>& stop, IdSet& into);

}  // namespace redoubt::search
