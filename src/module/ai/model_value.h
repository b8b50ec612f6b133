#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/memory.h"
#include "base/result.h"
#include "infer/model_loader.h"
#include "module/ai/run_stats.h"
#include "module/host/rdb.h"

namespace redoubt::ai {

inline constexpr int kModelEncodingVersion = 5;

// What the user gave: kept for MODELGET, RDB and AOF, never changed.
struct ModelSource {
  std::string backend;  // upper case
  std::string device;   // as typed
  std::string tag;
  infer::Batching batching;
  std::vector<std::string> inputs, outputs;  // of TF models
  base::Buffer blob;
};

// The value of a key of type AI__MODEL.
struct ModelValue {
  std::shared_ptr<const ModelSource> source;
  std::shared_ptr<infer::ModelSlot> slot;
  std::shared_ptr<RunStats> stats = std::make_shared<RunStats>();

  std::string queue_device() const { return slot->spec().device; }
  size_t memory_bytes() const;
};

// Starts building the session of `source` in the background.
ModelValue MakeModel(std::shared_ptr<const ModelSource> source, infer::ModelLoader& loader);

// The byte form of AI__MODEL in RDB files and DUMP payloads: docs/design/rdb-format.md.
void SaveModel(host::RdbWriter& out, const ModelSource& source);
// Reads our version and RedisAI's 0 to 4.
base::Result<std::shared_ptr<ModelSource>> LoadModelSource(host::RdbReader& in, int version,
                                                           base::MemoryResource& memory);

}  // namespace redoubt::ai
