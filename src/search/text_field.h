#pragma once

#include <memory>

#include "search/field_index.h"

namespace redoubt::search {

// What an index keeps of a TEXT field: its words unless it is NOINDEX, and if SORTABLE the value, in lower case unless
// UNF.
std::unique_ptr<FieldIndex> MakeTextField(const Field& field, const IndexDefinition& definition,
                                          base::MemoryResource& memory);

}  // namespace redoubt::search
