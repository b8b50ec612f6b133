#pragma once

#include <string>

#include "module/host/acl.h"
#include "module/host/context.h"
#include "search/index.h"

namespace redoubt::ft {

// The answer of FT.SEARCH in the protocol of the client. Reads the returned fields from the keys; a document whose key
// is gone by now is left out. Main thread only.
void ReplySearch(host::Context& ctx, const host::Caller& caller, const search::SearchPlan& plan,
                 const search::SearchOutcome& outcome);

}  // namespace redoubt::ft
