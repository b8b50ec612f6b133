#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "module/host/context.h"
#include "search/aggregate_request.h"

namespace redoubt::ft {

// What a shard is asked to profile.
struct ShardProfile {
  bool wanted = false;
  bool limited = false;  // without the parts of a filter
  bool resp3 = false;    // of the client that gets it
};

// A search or an aggregation that a shard is to run, as it travels: docs/design/ft-cluster.md. Borrows its texts.
struct ShardRequest {
  std::string_view index;
  std::string_view user;  // whose rights on keys the shard looks at; empty: it need not
  int64_t timeout_ms = 0;
  int dialect = 1;
  size_t most = 0;  // largest LIMIT
  search::WordParts parts;
  std::vector<std::string_view> words;
  ShardProfile profile;

  search::SearchDefaults SearchDefaults() const;
  search::AggregateDefaults AggregateDefaults() const;

  std::string Encode() const;
  static base::Result<ShardRequest> Decode(std::string_view bytes);
};

// What one shard noted for FT.PROFILE.
struct ShardTape {
  std::string address;
  std::string tape;  // see ReplyTape; empty: the shard did not answer in time
};

// A shard's answer: the tape of a profile, empty where none was asked for, and what it found.
std::string JoinAnswer(std::string_view tape, std::string_view found);
struct ShardAnswer {
  std::string_view tape;
  std::string_view found;
};
base::Result<ShardAnswer> SplitAnswer(std::string_view bytes);

// The second part of the reply of FT.PROFILE over shards; `begin_us` is when it came.
void ReplyShardProfiles(host::Context& ctx, const std::vector<ShardTape>& tapes, int64_t begin_us);

}  // namespace redoubt::ft
