#include "server/lab/lab.h"

#include <fmt/core.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/json.h"
#include "base/thread_annotations.h"
#include "server/lab/session.h"

namespace redoubt::lab {

using base::Json;
using base::Result;

namespace {

constexpr auto kWatchPeriod = std::chrono::milliseconds(500);
constexpr int64_t kRetryMs = 10'000;  // while the server is away at the time of the clean-up
constexpr int64_t kMaxFillMb = 1 << 20;
constexpr int64_t kMaxConnections = 100'000;

}  // namespace

Journal MemoryJournal() {
  struct Kept {
    std::mutex mu;
    std::map<std::string, Json> entries GUARDED_BY(mu);
  };
  auto kept = std::make_shared<Kept>();
  Journal journal;
  journal.save = [kept](const std::string& instance, const Json& entry) {
    std::lock_guard lock(kept->mu);
    kept->entries[instance] = entry;
    return base::OkStatus();
  };
  journal.remove = [kept](const std::string& instance) {
    std::lock_guard lock(kept->mu);
    kept->entries.erase(instance);
    return base::OkStatus();
  };
  journal.load = [kept]() -> Result<std::vector<Json>> {
    std::lock_guard lock(kept->mu);
    std::vector<Json> entries;
    for (const auto& [instance, entry] : kept->entries) entries.push_back(entry);
    return entries;
  };
  return journal;
}

class Lab::Impl {
 public:
  explicit Impl(Deps deps) : deps_(std::move(deps)), watcher_([this] { Watch(); }) {}

  ~Impl() {
    {
      std::lock_guard lock(mu_);
      stopping_ = true;
    }
    wake_.notify_all();
    watcher_.join();
    for (auto& [instance, place] : places_) {
      if (place->session.EndsAt()) CleanUp(*place, instance);
    }
  }

  void Recover() {
    Result<std::vector<Json>> entries = deps_.journal.load();
    if (!entries.ok()) {
      deps_.logger.Error("the fault journal cannot be read: {}", entries.status().message());
      return;
    }
    for (const Json& entry : *entries) {
      std::string instance = entry.value("instance", "");
      if (instance.empty()) continue;
      deps_.logger.Info("taking back faults that an earlier run left at {}", instance);
      Place& place = PlaceOf(instance);
      std::lock_guard turn(place.turn);
      place.session.Adopt(entry);
    }
    wake_.notify_all();
  }

  template <class Call>
  Result<Answer> Run(const std::string& instance, const std::string& confirm, Call call) {
    ASSIGN_OR_RETURN(Target target, deps_.target(instance));
    if (std::optional<Refusal> refusal = CheckGranted(target)) return Answer{std::nullopt, std::move(*refusal)};
    Place& place = PlaceOf(instance);
    std::lock_guard turn(place.turn);
    return call(place.session, target, !confirm.empty() && confirm == target.name);
  }

  Result<Panel> Describe(const std::string& instance) {
    ASSIGN_OR_RETURN(Target target, deps_.target(instance));
    Place& place = PlaceOf(instance);
    std::lock_guard turn(place.turn);
    return place.session.Describe(target);
  }

 private:
  struct Place {
    Place(const std::string& instance, Session::Deps deps) : session(instance, std::move(deps)) {}
    std::mutex turn;  // one call at a time
    Session session;
    std::atomic<int64_t> retry_at_ms = 0;
  };

  Place& PlaceOf(const std::string& instance) {
    std::lock_guard lock(mu_);
    std::unique_ptr<Place>& place = places_[instance];
    if (!place) {
      Session::Deps deps{deps_.clock, deps_.logger, &deps_.journal, deps_.on_change, deps_.auto_cleanup_ms};
      place = std::make_unique<Place>(instance, std::move(deps));
    }
    return *place;
  }

  void CleanUp(Place& place, const std::string& instance) {
    std::lock_guard turn(place.turn);
    Result<Target> target = deps_.target(instance);
    Result<Answer> cleaned = target.ok() ? place.session.Cleanup(*target) : Result<Answer>(target.status());
    if (cleaned.ok()) return;
    // Keys expire and connections are closed already; only settings have to wait for the server.
    place.retry_at_ms = deps_.clock->WallMillis() + kRetryMs;
    deps_.logger.Warning("faults at {} could not be taken back yet: {}", instance, cleaned.status().message());
  }

  // Ends what is due.
  void Watch() {
    std::unique_lock lock(mu_);
    while (!stopping_) {
      wake_.wait_for(lock, kWatchPeriod);
      int64_t now_ms = deps_.clock->WallMillis();
      std::vector<std::pair<std::string, Place*>> due;
      for (auto& [instance, place] : places_) {
        std::optional<int64_t> ends_at_ms = place->session.EndsAt();
        if (ends_at_ms && *ends_at_ms <= now_ms && place->retry_at_ms <= now_ms)
          due.emplace_back(instance, place.get());
      }
      if (due.empty() || stopping_) continue;
      lock.unlock();
      for (auto& [instance, place] : due) CleanUp(*place, instance);
      lock.lock();
    }
  }

  const Deps deps_;
  std::mutex mu_;
  std::condition_variable wake_;
  std::map<std::string, std::unique_ptr<Place>> places_ GUARDED_BY(mu_);  // never removed, so references stay good
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread watcher_;  // last: starts when everything above is there
};

Lab::Lab(Deps deps) : impl_(std::make_unique<Impl>(std::move(deps))) {}
Lab::~Lab() = default;

void Lab::Recover() { impl_->Recover(); }

Result<Answer> Lab::FillMemory(const std::string& instance, int64_t size_mb, const std::string& confirm) {
  if (size_mb < 0 || size_mb > kMaxFillMb) {
    return base::InvalidArgument(fmt::format("size_mb must be from 1 to {}", kMaxFillMb));
  }
  return impl_->Run(instance, confirm, [&](Session& session, const Target& target, bool confirmed) {
    return session.FillMemory(target, size_mb, confirmed);
  });
}

Result<Answer> Lab::ManyConnections(const std::string& instance, int64_t count, const std::string& confirm) {
  if (count < 1 || count > kMaxConnections) {
    return base::InvalidArgument(fmt::format("count must be from 1 to {}", kMaxConnections));
  }
  return impl_->Run(instance, confirm, [&](Session& session, const Target& target, bool confirmed) {
    return session.ManyConnections(target, count, confirmed);
  });
}

Result<Answer> Lab::SlowQuery(const std::string& instance, double seconds, const std::string& confirm) {
  return impl_->Run(instance, confirm, [&](Session& session, const Target& target, bool confirmed) {
    return session.SlowQuery(target, seconds, confirmed);
  });
}

Result<Answer> Lab::Cleanup(const std::string& instance) {
  return impl_->Run(instance, "", [](Session& session, const Target& target, bool) { return session.Cleanup(target); });
}

Result<Panel> Lab::Describe(const std::string& instance) { return impl_->Describe(instance); }

}  // namespace redoubt::lab
