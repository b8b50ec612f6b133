#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "module/ft/index_registry.h"
#include "module/host/api.h"
#include "module/host/key.h"

namespace redoubt::ft {

class FtModule;

// Reads the keys that were there before an index was, in slices of at most a millisecond on the main thread, one index
// after another. Changes in the meantime are indexed as they come. Main thread only.
class BackgroundScan {
 public:
  explicit BackgroundScan(FtModule& ft) : ft_(ft) {}

  // From the first key, also when a scan of this index is under way. Ends by itself when the index is dropped.
  void Start(const std::shared_ptr<IndexEntry>& entry);

 private:
  struct CursorDeleter {
    void operator()(RedisModuleScanCursor* cursor) const { RedisModule_ScanCursorDestroy(cursor); }
  };
  struct Job {
    std::weak_ptr<IndexEntry> entry;
    std::unique_ptr<RedisModuleScanCursor, CursorDeleter> cursor;
    size_t seen = 0;
    std::vector<host::String> documents;  // JSON, read when the server's walk has returned: that may free a key
  };

  // False when there is no more.
  static bool ScanSome(RedisModuleCtx* ctx, Job& job, IndexEntry& entry);
  static void OnTimer(RedisModuleCtx* ctx, void* self);
  static void OnKey(RedisModuleCtx* ctx, RedisModuleString* name, RedisModuleKey* key, void* job);
  void Arm();
  void RunSlice(RedisModuleCtx* ctx);
  bool RunJob(RedisModuleCtx* ctx, Job& job, int64_t until_us);

  FtModule& ft_;
  std::deque<Job> jobs_;
  bool armed_ = false;
};

}  // namespace redoubt::ft
