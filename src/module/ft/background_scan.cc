#include "module/ft/background_scan.h"

#include <algorithm>

#include "base/clock.h"
#include "module/ft/document_reader.h"
#include "module/ft/ft_module.h"
#include "module/host/blocked_client.h"

namespace redoubt::ft {
namespace {

constexpr int64_t kSliceMicros = 1000;
constexpr int kPauseMillis = 1;
constexpr size_t kMostQueued = 1024;

}  // namespace

void BackgroundScan::Start(const std::shared_ptr<IndexEntry>& entry) {
  std::erase_if(jobs_, [&](const Job& job) { return job.entry.lock() == entry; });
  entry->scanning = true;
  entry->scanned_part = 0;
  Job job;
  job.entry = entry;
  job.cursor.reset(RedisModule_ScanCursorCreate());
  jobs_.push_back(std::move(job));
  Arm();
}

void BackgroundScan::Arm() {
  if (armed_ || jobs_.empty()) return;
  armed_ = true;
  RedisModule_CreateTimer(host::EffectsContext::raw(), kPauseMillis, &OnTimer, this);
}

void BackgroundScan::OnTimer(RedisModuleCtx* ctx, void* self) {
  auto* scan = static_cast<BackgroundScan*>(self);
  scan->armed_ = false;
  // Keys that come in while the server loads are indexed one by one.
  if ((RedisModule_GetContextFlags(ctx) & REDISMODULE_CTX_FLAGS_LOADING) == 0) scan->RunSlice(ctx);
  scan->Arm();
}

void BackgroundScan::RunSlice(RedisModuleCtx* ctx) {
  base::SystemClock clock;
  int64_t begin = clock.SteadyMicros();
  RedisModule_SelectDb(ctx, 0);
  while (!jobs_.empty() && clock.SteadyMicros() < begin + kSliceMicros) {
    if (RunJob(ctx, jobs_.front(), begin + kSliceMicros)) break;
    jobs_.pop_front();
  }
  ft_.longest_scan_slice_us = std::max(ft_.longest_scan_slice_us, clock.SteadyMicros() - begin);
}

// True when there is more to do.
bool BackgroundScan::RunJob(RedisModuleCtx* ctx, Job& job, int64_t until_us) {
  std::shared_ptr<IndexEntry> entry = job.entry.lock();
  if (entry == nullptr || ft_.indexes().FindByName(entry->definition().name) != entry) return false;
  // The workers, or the searches that the changes wait for, come first.
  if (entry->live->work().overfull() || entry->live->queued() > kMostQueued) return true;
  base::SystemClock clock;
  while (ScanSome(ctx, job, *entry)) {
    if (clock.SteadyMicros() < until_us) continue;
    size_t keys = std::max<size_t>(1, RedisModule_DbSize(ctx));
    entry->scanned_part = std::min(0.99, static_cast<double>(job.seen) / static_cast<double>(keys));
    return true;
  }
  entry->scanning = false;
  entry->scanned_part = 1;
  ft_.logger().Info("index '{}': {} existing keys scanned", entry->definition().name, job.seen);
  return false;
}

bool BackgroundScan::ScanSome(RedisModuleCtx* ctx, Job& job, IndexEntry& entry) {
  const bool more = RedisModule_Scan(ctx, job.cursor.get(), &OnKey, &job) != 0;
  for (const host::String& name : job.documents) IndexJson(name.raw(), REDISMODULE_KEYTYPE_MODULE, entry);
  job.documents.clear();
  return more;
}

void BackgroundScan::OnKey(RedisModuleCtx* /*ctx*/, RedisModuleString* name, RedisModuleKey* key, void* data) {
  auto* job = static_cast<Job*>(data);
  ++job->seen;
  std::shared_ptr<IndexEntry> entry = job->entry.lock();
  if (entry == nullptr || key == nullptr) return;
  if (!entry->definition().json) return IndexHash(name, key, *entry);
  const int type = RedisModule_KeyType(key);
  if (type != REDISMODULE_KEYTYPE_MODULE) return IndexJson(name, type, *entry);
  if (entry->definition().Covers(View(name))) job->documents.emplace_back(View(name));
}

}  // namespace redoubt::ft
