#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "infer/script.h"
#include "module/ai/model_value.h"
#include "module/host/rdb.h"

namespace redoubt::ai {

// RedisAI's own last one: our files are as it would write them.
inline constexpr int kScriptEncodingVersion = 4;

// What the user gave: kept for SCRIPTGET, RDB and AOF, never changed.
struct ScriptSource {
  std::string device;  // as typed
  std::string tag;
  std::string source;
  std::vector<std::string> entry_points;  // none: stored by AI.SCRIPTSET
};

// The value of a key of type AI_SCRIPT.
struct ScriptValue {
  std::shared_ptr<const ScriptSource> source;
  std::shared_ptr<infer::ScriptSlot> slot;
  std::shared_ptr<RunStats> stats = std::make_shared<RunStats>();

  std::string queue_device() const { return slot->spec().device; }
  size_t memory_bytes() const;
};

// Starts compiling `source` in the background.
ScriptValue MakeScript(std::shared_ptr<const ScriptSource> source, infer::ModelLoader& loader,
                       infer::BackendRegistry& registry);

// The byte form of AI_SCRIPT in RDB files and DUMP payloads: docs/design/rdb-format.md.
void SaveScript(host::RdbWriter& out, const ScriptSource& source);
// Reads RedisAI's 0 to 4.
base::Result<std::shared_ptr<ScriptSource>> LoadScriptSource(host::RdbReader& in, int version);

}  // namespace redoubt::ai
