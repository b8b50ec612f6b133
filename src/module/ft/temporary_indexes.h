#pragma once

#include "module/host/api.h"

namespace redoubt::ft {

class FtModule;

// Drops indexes with TEMPORARY that nobody searched or added documents to for their time, within a second of that.
// Their documents stay. Only on a primary, whose replicas follow. Main thread only.
class TemporaryIndexes {
 public:
  explicit TemporaryIndexes(FtModule& ft) : ft_(ft) {}

  // After an index was made.
  void Watch();

 private:
  static void OnTimer(RedisModuleCtx* ctx, void* self);
  void Look(RedisModuleCtx* ctx);

  FtModule& ft_;
  bool armed_ = false;
};

}  // namespace redoubt::ft
