#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "module/host/context.h"
#include "search/profile.h"
#include "search/query.h"
#include "search/schema.h"

namespace redoubt::ft {

// A step after the documents were found, as FT.PROFILE shows it.
struct ProfiledStep {
  std::string name;
  size_t rows = 0;  // after it
  int64_t micros = 0;
};

struct QueryProfile {
  search::SearchProfile search;
  int64_t parsing_us = 0;
  int64_t search_us = 0;
  int64_t total_us = 0;
  size_t found = 0;
  size_t vectors = 0;    // of the KNN's field, all documents
  bool limited = false;  // without the parts of a filter
  bool timed_out = false;
  std::vector<ProfiledStep> steps;
};

// The reply of FT.PROFILE: the result follows, then the profile.
void ReplyResultsStart(host::Context& ctx);

// What FT.PROFILE shows beside the result, as a ReplyTape. Times are milliseconds. Any thread.
std::string ProfileTape(const QueryProfile& profile, const search::Query& query,
                        const search::IndexDefinition& definition, bool resp3);
// The same, replied. Main thread only.
void ReplyProfile(host::Context& ctx, const QueryProfile& profile, const search::Query& query,
                  const search::IndexDefinition& definition);

}  // namespace redoubt::ft
