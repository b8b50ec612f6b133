#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "module/ft/ft_module.h"

namespace redoubt::ft {

// How long another shard may take for what has `timeout_ms` (0: no limit). A shard keeps the time itself; this is for
// messages that are lost, and for the time of those under way, and that it takes to read the keys of up to `documents`.
int64_t PatienceMillis(int64_t timeout_ms, size_t documents = 0);

// Asks one other shard about an index. One that answers NotFound is given the index first and asked once more: it may
// have joined after FT.CREATE. `done` as that of NodeLink::Ask().
void AskShard(FtModule& ft, const cluster::Shard& shard, cluster::Question question, std::string body,
              int64_t timeout_ms, const std::shared_ptr<IndexEntry>& entry, cluster::NodeLink::Done done);

// What a client is told about a shard that did not do its part: the words of the refusal, where another request would
// help; else they name the shard. `verb`: "search".
base::Status ShardError(const std::string& address, const char* verb, const base::Status& status);

}  // namespace redoubt::ft
