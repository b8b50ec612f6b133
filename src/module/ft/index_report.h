#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "module/ft/index_registry.h"
#include "search/index_stats.h"

namespace redoubt::ft {

// The state of an index for FT.INFO: of this node, or of all shards together.
struct IndexReport {
  search::IndexStats stats;
  bool indexing = false;    // keys are still scanned, or vectors linked
  double part_indexed = 1;  // 0..1
  uint64_t searches = 0;    // that clients asked for

  // Main thread.
  static IndexReport Of(const IndexEntry& entry);
  // Sizes and counts are sums, the part that is indexed is the mean.
  void Add(const IndexReport& other);

  std::string Encode() const;
  // DataLoss for bytes that are no such thing.
  static base::Result<IndexReport> Decode(std::string_view bytes);

  size_t shards = 1;  // that are in it
};

}  // namespace redoubt::ft
