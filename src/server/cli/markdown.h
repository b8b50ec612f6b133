#pragma once

#include <string>

#include "base/json_fwd.h"
#include "base/lang.h"

namespace redoubt::cli {

// An analysis (the reply of POST /analyze) as Markdown that also reads well in a terminal, in the order of the screen:
// headline, first action, do not, evidence, verify, then the rest.
std::string AnalysisMarkdown(const base::Json& analysis, base::Lang lang);

}  // namespace redoubt::cli
