#include "module/ft/field_loader.h"

#include <algorithm>

#include "base/clock.h"
#include "module/host/blocked_client.h"

namespace redoubt::ft {
namespace {

constexpr int64_t kSliceMicros = 1000;
constexpr int kPauseMillis = 1;

}  // namespace

void FieldLoader::Add(KeyReading* job) {
  bool wake = false;
  {
    std::lock_guard lock(mu_);
    wake = added_.empty();
    added_.push_back(job);
  }
  if (wake) RedisModule_EventLoopAddOneShot(&OnMainThread, this);
}

// This may run within a slow script of the server, where the keys are not to be touched; timers do not.
void FieldLoader::OnMainThread(void* self) {
  auto* loader = static_cast<FieldLoader*>(self);
  {
    std::lock_guard lock(loader->mu_);
    loader->jobs_.insert(loader->jobs_.end(), loader->added_.begin(), loader->added_.end());
    loader->added_.clear();
  }
  loader->Arm(0);
}

void FieldLoader::Arm(int after_ms) {
  if (armed_ || jobs_.empty()) return;
  armed_ = true;
  RedisModule_CreateTimer(host::EffectsContext::raw(), after_ms, &OnTimer, this);
}

void FieldLoader::OnTimer(RedisModuleCtx* /*ctx*/, void* self) {
  auto* loader = static_cast<FieldLoader*>(self);
  loader->armed_ = false;
  loader->RunSlice();
  loader->Arm(kPauseMillis);
}

void FieldLoader::RunSlice() {
  base::SystemClock clock;
  const int64_t begin = clock.SteadyMicros();
  const int64_t until = begin + kSliceMicros;
  host::Context effects = host::EffectsContext::InDatabase(0);
  while (!jobs_.empty() && clock.SteadyMicros() < until) {
    KeyReading* job = jobs_.front();
    jobs_.pop_front();
    if (job->LoadSome(effects, until)) {
      job->ContinueOnReader();
    } else {
      jobs_.push_back(job);
    }
  }
  longest_slice_us_ = std::max(longest_slice_us_, clock.SteadyMicros() - begin);
}

}  // namespace redoubt::ft
