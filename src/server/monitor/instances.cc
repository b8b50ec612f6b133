#include "server/monitor/instances.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/thread_annotations.h"
#include "server/monitor/link.h"
#include "server/monitor/poll_schedule.h"
#include "server/monitor/tracker.h"

namespace redoubt::monitor {

using base::Result;
using base::Status;

namespace {

constexpr int kCollectBudgetMs = 2000;
constexpr int64_t kMarkSpacingMs = 20'000;
constexpr int64_t kMarkAgeMs = 100'000;

std::string IdOf(const std::string& address) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (unsigned char c : address) hash = (hash ^ c) * 1099511628211u;
  return fmt::format("in_{:08x}", static_cast<uint32_t>(hash ^ (hash >> 32)));
}

InstanceConfig WithoutSecrets(InstanceConfig config) {
  config.connect.password.clear();
  if (config.connect.tls) config.connect.tls->key.clear();
  return config;
}

bool SameAddress(const InstanceConfig& a, const InstanceConfig& b) {
  return a.connect.host == b.connect.host && a.connect.port == b.connect.port;
}

// A mutex that one may give up waiting for. std::timed_mutex is one too, but ThreadSanitizer does not see its timed
// lock.
class Turn {
 public:
  void lock() {
    std::unique_lock lock(mu_);
    free_.wait(lock, [this] { return !taken_; });
    taken_ = true;
  }
  bool try_lock_for(std::chrono::milliseconds patience) {
    std::unique_lock lock(mu_);
    if (!free_.wait_for(lock, patience, [this] { return !taken_; })) return false;
    taken_ = true;
    return true;
  }
  void unlock() {
    {
      std::lock_guard lock(mu_);
      taken_ = false;
    }
    free_.notify_one();
  }

 private:
  std::mutex mu_;
  std::condition_variable free_;
  bool taken_ GUARDED_BY(mu_) = false;
};

// One watched server.
struct Watched {
  // Guards the connection and what goes with each poll; held while talking to the server.
  Turn io;
  std::unique_ptr<Link> link GUARDED_BY(io);
  SampleTracker tracker GUARDED_BY(io);

  mutable std::mutex mu;
  InstanceConfig config GUARDED_BY(mu);
  InstanceState state GUARDED_BY(mu) = InstanceState::kIdle;
  std::shared_ptr<const Sample> last GUARDED_BY(mu);
  std::shared_ptr<const Sample> last_reachable GUARDED_BY(mu);
  // Samples some twenty seconds apart, oldest first: what an analysis takes its deltas from.
  std::deque<std::shared_ptr<const Sample>> marks GUARDED_BY(mu);
  Capabilities capabilities GUARDED_BY(mu);
  ServerFacts facts GUARDED_BY(mu);
  int effective_interval_s GUARDED_BY(mu) = kDefaultIntervalSeconds;
};
using WatchedPtr = std::shared_ptr<Watched>;

// True when the instance's visible state changed.
bool Remember(Watched& watched, std::shared_ptr<const Sample> sample, const Link& link, int effective_interval_s) {
  std::lock_guard lock(watched.mu);
  InstanceState state = sample->reachable ? InstanceState::kConnected : InstanceState::kUnreachable;
  bool changed = watched.state != state || sample->role_changed || sample->restarted;
  watched.state = state;
  watched.last = sample;
  watched.facts = link.facts();
  if (watched.capabilities.list.empty()) watched.capabilities = link.capabilities();
  watched.effective_interval_s = effective_interval_s;
  if (!sample->reachable) return changed;
  watched.last_reachable = sample;
  while (!watched.marks.empty() && sample->at_ms - watched.marks.front()->at_ms > kMarkAgeMs) watched.marks.pop_front();
  if (watched.marks.empty() || sample->at_ms - watched.marks.back()->at_ms >= kMarkSpacingMs) {
    watched.marks.push_back(std::move(sample));
  }
  return changed;
}

}  // namespace

std::string_view InstanceStateName(InstanceState state) {
  switch (state) {
    case InstanceState::kIdle:
      return "idle";
    case InstanceState::kConnecting:
      return "connecting";
    case InstanceState::kConnected:
      return "connected";
    case InstanceState::kUnreachable:
      return "unreachable";
  }
  return "idle";
}

InstanceStore MemoryInstanceStore() {
  auto kept = std::make_shared<std::vector<InstanceConfig>>();
  InstanceStore store;
  store.save = [kept](const InstanceConfig& config) {
    auto same = [&](const InstanceConfig& other) { return other.id == config.id; };
    auto found = std::find_if(kept->begin(), kept->end(), same);
    if (found != kept->end()) {
      *found = config;
    } else {
      kept->push_back(config);
    }
    return base::OkStatus();
  };
  store.remove = [kept](const std::string& id) {
    std::erase_if(*kept, [&](const InstanceConfig& config) { return config.id == id; });
    return base::OkStatus();
  };
  store.load = [kept]() -> Result<std::vector<InstanceConfig>> { return *kept; };
  return store;
}

class Monitor::Impl {
 public:
  explicit Impl(Deps deps) : deps_(std::move(deps)), schedule_(deps_.max_threads) {}
  ~Impl() { Shutdown(); }

  void Shutdown() {
    schedule_.Stop();
    for (const WatchedPtr& watched : All()) {
      std::lock_guard io(watched->io);
      if (watched->link) watched->link->Close();
    }
  }

  Status Resume() {
    ASSIGN_OR_RETURN(std::vector<InstanceConfig> stored, deps_.store.load());
    size_t index = 0;
    for (InstanceConfig& config : stored) {
      WatchedPtr watched = NewWatched(config);
      {
        std::lock_guard lock(mu_);
        watched_.push_back(watched);
      }
      // The golden ratio spreads any number of instances evenly over the interval.
      double share = std::fmod(static_cast<double>(index++) * 0.6180339887, 1.0);
      if (config.running) Schedule(watched, static_cast<int>(share * config.interval_s * 1000));
    }
    deps_.logger.Info("watching {} stored instances", stored.size());
    return base::OkStatus();
  }

  Result<ConnectResult> Connect(InstanceConfig config) {
    if (config.name.empty()) config.name = resp::Address(config.connect);
    RETURN_IF_ERROR(CheckPlace(config));
    config.id = ChooseId(config);
    auto link = NewLink(config);
    ConnectResult result;
    result.error = link->Open();
    if (result.error) return result;
    result.instance = config.id;
    result.name = config.name;
    result.server = link->facts();
    result.capabilities = link->capabilities();

    RETURN_IF_ERROR(Save(config));
    WatchedPtr watched = NewWatched(config);
    watched->link = std::move(link);
    watched->capabilities = result.capabilities;
    watched->facts = result.server;
    watched->state = InstanceState::kConnecting;
    Put(watched);
    if (config.running) Schedule(watched, 0);
    Changed(config.id);
    return result;
  }

  Status Disconnect(const std::string& id) {
    ASSIGN_OR_RETURN(WatchedPtr watched, Find(id));
    schedule_.Remove(id);
    {
      std::lock_guard store_lock(store_mu_);
      RETURN_IF_ERROR(deps_.store.remove(id));
    }
    {
      std::lock_guard lock(mu_);
      std::erase(watched_, watched);
    }
    Changed(id);
    return base::OkStatus();
  }

  Status Start(const std::string& id, int interval_s) {
    if (interval_s != 0 && (interval_s < kMinIntervalSeconds || interval_s > kMaxIntervalSeconds)) {
      return base::InvalidArgument(
          fmt::format("interval must be from {} to {} seconds", kMinIntervalSeconds, kMaxIntervalSeconds));
    }
    ASSIGN_OR_RETURN(WatchedPtr watched, Find(id));
    InstanceConfig config = Edit(*watched, [&](InstanceConfig& changed) {
      changed.running = true;
      if (interval_s != 0) changed.interval_s = interval_s;
    });
    RETURN_IF_ERROR(Save(config));
    Schedule(watched, 0);
    Changed(id);
    return base::OkStatus();
  }

  Status Stop(const std::string& id) {
    ASSIGN_OR_RETURN(WatchedPtr watched, Find(id));
    InstanceConfig config = Edit(*watched, [](InstanceConfig& changed) { changed.running = false; });
    RETURN_IF_ERROR(Save(config));
    schedule_.Remove(id);
    {
      std::lock_guard io(watched->io);
      if (watched->link) watched->link->Close();
      std::lock_guard lock(watched->mu);
      watched->state = InstanceState::kIdle;
    }
    Changed(id);
    return base::OkStatus();
  }

  Result<Snapshot> Collect(const std::string& id, bool all_clients) {
    ASSIGN_OR_RETURN(WatchedPtr watched, Find(id));
    Snapshot snapshot;
    snapshot.now.instance = id;
    snapshot.now.at_ms = deps_.clock->WallMillis();
    if (watched->io.try_lock_for(std::chrono::milliseconds(kCollectBudgetMs))) {
      std::lock_guard io(watched->io, std::adopt_lock);
      snapshot = watched->link->Collect(all_clients, kCollectBudgetMs);
    } else {
      snapshot.now.failure = ProbeFailure::kTimeout;
      snapshot.now.error = "the server has not answered our last poll yet";
    }
    AddKnown(*watched, snapshot);
    return snapshot;
  }

  std::vector<WatchedPtr> All() const {
    std::lock_guard lock(mu_);
    return watched_;
  }

  Result<WatchedPtr> Find(const std::string& id) const {
    for (const WatchedPtr& watched : All()) {
      std::lock_guard lock(watched->mu);
      if (watched->config.id == id) return watched;
    }
    return base::NotFound(fmt::format("no instance '{}'; GET /api/v1/monitor/status lists them", id));
  }

  InstanceStatus StatusOf(const Watched& watched) const {
    std::lock_guard lock(watched.mu);
    InstanceStatus status;
    status.config = WithoutSecrets(watched.config);
    status.state = watched.config.running ? watched.state : InstanceState::kIdle;
    if (watched.last) {
      status.last_sample_at_ms = watched.last->at_ms;
      status.error = watched.last->error;
      status.failure = watched.last->failure;
    }
    status.effective_interval_s = watched.effective_interval_s;
    status.server = watched.facts;
    status.capabilities = watched.capabilities;
    return status;
  }

 private:
  std::unique_ptr<Link> NewLink(const InstanceConfig& config) const {
    Link::Timing timing;
    timing.config_refresh_ms = deps_.config_refresh_ms;
    timing.client_list_spacing_ms = deps_.client_list_spacing_ms;
    return std::make_unique<Link>(config.id, config.connect, *deps_.clock, timing);
  }

  WatchedPtr NewWatched(const InstanceConfig& config) const {
    auto watched = std::make_shared<Watched>();
    watched->link = NewLink(config);
    watched->config = config;
    watched->effective_interval_s = config.interval_s;
    if (config.running) watched->state = InstanceState::kConnecting;
    return watched;
  }

  // Whether there is room for the instance and its name.
  Status CheckPlace(const InstanceConfig& config) const {
    if (config.name.size() > 100) return base::InvalidArgument("name must have at most 100 bytes");
    if (config.interval_s < kMinIntervalSeconds || config.interval_s > kMaxIntervalSeconds) {
      return base::InvalidArgument(
          fmt::format("interval must be from {} to {} seconds", kMinIntervalSeconds, kMaxIntervalSeconds));
    }
    bool known = false;
    std::vector<WatchedPtr> all = All();
    for (const WatchedPtr& watched : all) {
      std::lock_guard lock(watched->mu);
      if (SameAddress(watched->config, config)) {
        known = true;
      } else if (watched->config.name == config.name) {
        return base::AlreadyExists(fmt::format("the name '{}' is taken by {}; choose another", config.name,
                                               resp::Address(watched->config.connect)));
      }
    }
    if (!known && all.size() >= deps_.max_instances) {
      return base::ResourceExhausted(fmt::format("{} instances are watched already, the limit", all.size()));
    }
    return base::OkStatus();
  }

  std::string ChooseId(const InstanceConfig& config) const {
    std::string id = config.id.empty() ? IdOf(resp::Address(config.connect)) : config.id;
    for (const WatchedPtr& watched : All()) {
      std::lock_guard lock(watched->mu);
      if (SameAddress(watched->config, config)) return watched->config.id;
      if (watched->config.id == id) id += "x";
    }
    return id;
  }

  // Puts it in the place of the one with its id, or at the end.
  void Put(const WatchedPtr& watched) {
    const std::string& id = watched->config.id;
    schedule_.Remove(id);
    std::lock_guard lock(mu_);
    auto same = [&](const WatchedPtr& other) {
      std::lock_guard other_lock(other->mu);
      return other->config.id == id;
    };
    auto found = std::find_if(watched_.begin(), watched_.end(), same);
    if (found != watched_.end()) {
      *found = watched;
    } else {
      watched_.push_back(watched);
    }
  }

  template <class Change>
  InstanceConfig Edit(Watched& watched, Change change) {
    std::lock_guard lock(watched.mu);
    change(watched.config);
    if (watched.config.running && watched.state == InstanceState::kIdle) watched.state = InstanceState::kConnecting;
    return watched.config;
  }

  Status Save(const InstanceConfig& config) {
    std::lock_guard lock(store_mu_);
    return deps_.store.save(config);
  }

  void Schedule(const WatchedPtr& watched, int delay_ms) {
    std::string id;
    {
      std::lock_guard lock(watched->mu);
      id = watched->config.id;
    }
    schedule_.Add(id, delay_ms, [this, watched] { return Poll(*watched); });
  }

  // Runs on a polling thread; gives the pause until the next poll.
  int Poll(Watched& watched) {
    int interval_s;
    {
      std::lock_guard lock(watched.mu);
      interval_s = watched.config.interval_s;
    }
    auto sample = std::make_shared<Sample>();
    bool changed = false;
    {
      std::lock_guard io(watched.io);
      *sample = watched.link->Poll();
      watched.tracker.Track(*sample);
      if (watched.link->slow()) interval_s = std::min(interval_s * 2, 2 * kMaxIntervalSeconds);
      sample->interval_ms = interval_s * 1000;
      changed = Remember(watched, sample, *watched.link, interval_s);
    }
    if (changed) Changed(sample->instance);
    if (deps_.sink) deps_.sink(*sample);
    return interval_s * 1000;
  }

  // What the polls remembered: the sample for deltas, and the last sight of a server that is away.
  static void AddKnown(const Watched& watched, Snapshot& snapshot) {
    std::lock_guard lock(watched.mu);
    if (snapshot.capabilities.list.empty()) snapshot.capabilities = watched.capabilities;
    if (watched.last) {
      snapshot.now.interval_ms = watched.last->interval_ms;
      snapshot.now.hit_rate = watched.last->hit_rate;
      snapshot.now.restarted = watched.last->restarted;
      snapshot.now.role_changed = watched.last->role_changed;
      snapshot.now.data_lost = watched.last->data_lost;
    }
    if (!snapshot.now.reachable) {
      snapshot.not_seen["INFO"] = snapshot.now.error;
      if (watched.last_reachable) {
        snapshot.now.info = watched.last_reachable->info;
        snapshot.now.config = watched.last_reachable->config;
        if (snapshot.now.config) snapshot.config = *snapshot.now.config;
      }
    }
    if (!watched.marks.empty() && snapshot.now.at_ms - watched.marks.front()->at_ms >= 1000) {
      snapshot.before = *watched.marks.front();
    }
  }

  void Changed(const std::string& id) {
    if (deps_.on_change) deps_.on_change(id);
  }

  const Deps deps_;
  mutable std::mutex mu_;
  std::vector<WatchedPtr> watched_ GUARDED_BY(mu_);
  std::mutex store_mu_;  // one call of the store at a time
  PollSchedule schedule_;
};

Monitor::Monitor(Deps deps) : impl_(std::make_unique<Impl>(std::move(deps))) {}
Monitor::~Monitor() = default;

Status Monitor::Resume() { return impl_->Resume(); }
Result<ConnectResult> Monitor::Connect(InstanceConfig config) { return impl_->Connect(std::move(config)); }
Status Monitor::Disconnect(const std::string& id) { return impl_->Disconnect(id); }
Status Monitor::Start(const std::string& id, int interval_s) { return impl_->Start(id, interval_s); }
Status Monitor::Stop(const std::string& id) { return impl_->Stop(id); }
void Monitor::Shutdown() { impl_->Shutdown(); }

std::vector<InstanceStatus> Monitor::Instances() const {
  std::vector<InstanceStatus> all;
  for (const WatchedPtr& watched : impl_->All()) all.push_back(impl_->StatusOf(*watched));
  return all;
}

std::optional<InstanceStatus> Monitor::Instance(const std::string& id) const {
  Result<WatchedPtr> watched = impl_->Find(id);
  if (!watched.ok()) return std::nullopt;
  return impl_->StatusOf(**watched);
}

Result<std::string> Monitor::Resolve(std::string_view id_or_name) const {
  std::vector<WatchedPtr> all = impl_->All();
  if (all.empty()) return base::NotFound("no instance is connected; POST /api/v1/monitor/connect first");
  for (const WatchedPtr& watched : all) {
    std::lock_guard lock(watched->mu);
    const InstanceConfig& config = watched->config;
    if (id_or_name.empty() || config.id == id_or_name || config.name == id_or_name ||
        resp::Address(config.connect) == id_or_name) {
      return config.id;
    }
  }
  return base::NotFound(fmt::format("no instance '{}'; GET /api/v1/monitor/status lists them", id_or_name));
}

std::optional<Sample> Monitor::Last(const std::string& id) const {
  Result<WatchedPtr> watched = impl_->Find(id);
  if (!watched.ok()) return std::nullopt;
  std::lock_guard lock((*watched)->mu);
  if (!(*watched)->last) return std::nullopt;
  return *(*watched)->last;
}

Result<Snapshot> Monitor::Collect(const std::string& id, bool all_clients) { return impl_->Collect(id, all_clients); }

Result<InstanceConfig> Monitor::ConfigOf(const std::string& id) const {
  ASSIGN_OR_RETURN(WatchedPtr watched, impl_->Find(id));
  std::lock_guard lock(watched->mu);
  return watched->config;
}

}  // namespace redoubt::monitor
