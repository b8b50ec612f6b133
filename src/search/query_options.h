#pragma once

#include <cstdint>

#include "search/args.h"
#include "search/query_parser.h"

namespace redoubt::search {

// Options that FT.SEARCH and FT.AGGREGATE share; the cursor stands after the option's name.
Status ParseParams(ArgCursor& args, Params& params);  // n name value ..; once
Status ParseDialect(ArgCursor& args, int& dialect);
Status ParseTimeout(ArgCursor& args, int64_t& timeout_ms);

}  // namespace redoubt::search
