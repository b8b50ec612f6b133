#pragma once

#include <cstdint>

#include "search/text_settings.h"

namespace redoubt::ft {

// What FT.CONFIG SET changes. Main thread only.
struct Settings {
  int64_t timeout_ms = 500;  // 0: none
  bool fail_on_timeout = false;
  int default_dialect = 1;
  int64_t max_search_results = 1'000'000;
  int64_t max_aggregate_results = -1;  // -1: no limit
  int64_t cursor_max_idle_ms = 300'000;
  int64_t cursor_max_bytes = int64_t{512} << 20;  // of the rows of all cursors
  int64_t min_prefix = 2;
  int64_t max_expansions = 200;

  search::WordParts parts() const { return {static_cast<size_t>(min_prefix), static_cast<size_t>(max_expansions)}; }
};

}  // namespace redoubt::ft
