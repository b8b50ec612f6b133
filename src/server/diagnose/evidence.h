#pragma once

#include <vector>

#include "server/diagnose/compose.h"

namespace redoubt::diagnose {

// What was seen for the candidates, strongest first, each thing once, numbered from 1; at most `limit`.
std::vector<Evidence> CollectEvidence(const ComposeInput& input, const std::vector<const Candidate*>& candidates,
                                      size_t limit);

}  // namespace redoubt::diagnose
