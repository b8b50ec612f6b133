#pragma once

#include <functional>
#include <memory>

#include "module/ft/ft_module.h"
#include "search/index.h"

namespace redoubt::ft {

// Searches this node's part of an index for no client of its own: on a reader thread, then `done` on the main thread.
// `plan` lives until then. The distances of a KNN are exact; the fields to be shown are read where `fields` says so,
// and where they are many: not in one go (OutcomeReading). ResourceExhausted when too many searches wait; `done` is not
// called then.
base::Status RunLocalSearch(FtModule& ft, const IndexEntry& entry, std::shared_ptr<const search::SearchPlan> plan,
                            bool fields, std::function<void(search::SearchOutcome)> done);

}  // namespace redoubt::ft
