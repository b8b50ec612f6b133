#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/thread_annotations.h"
#include "resp/client.h"
#include "server/lab/eligibility.h"
#include "server/lab/lab.h"
#include "server/lab/memory_fill.h"

namespace redoubt::lab {

// The faults at one instance. One call at a time (the lab sees to it); the filling thread reports under `mu_`.
class Session {
 public:
  struct Deps {
    const base::Clock* clock;
    base::Logger logger;
    const Journal* journal;
    std::function<void(const Fault&)> on_change;
    int auto_cleanup_ms;
  };

  Session(std::string instance, Deps deps);
  ~Session();  // stops filling and closes connections; keys expire by themselves

  base::Result<Answer> FillMemory(const Target& target, int64_t size_mb, bool confirmed);
  base::Result<Answer> ManyConnections(const Target& target, int64_t count, bool confirmed);
  base::Result<Answer> SlowQuery(const Target& target, double seconds, bool confirmed);
  base::Result<Answer> Cleanup(const Target& target);
  base::Result<Panel> Describe(const Target& target);

  // When the first of its faults has to be taken back; nothing while none is there.
  std::optional<int64_t> EndsAt() const;
  // What a killed process noted: to be given back by Cleanup().
  void Adopt(const base::Json& journal_entry);

 private:
  base::Result<std::unique_ptr<resp::Client>> Open(const Target& target) const;
  base::Status Note();  // writes the journal
  Fault& Begin(FaultKind kind);
  void Publish(const Fault& fault);
  void StopFilling();
  void OnFillProgress(const FillProgress& progress);
  std::optional<Answer> RunningFill();
  base::Result<Answer> AlreadyFull(resp::Client& client);
  base::Status RaiseSlowlog(resp::Client& client, double seconds);
  base::Status KillScript(const Target& target) const;
  base::Status RestoreConfig(resp::Client& client);

  const std::string instance_;
  const Deps deps_;
  std::vector<std::unique_ptr<resp::Client>> held_;  // many-connections
  // name -> {what it was, what we set}
  std::map<std::string, std::pair<std::string, std::string>> changed_config_;
  std::thread filling_;
  std::atomic<bool> stop_filling_ = false;

  mutable std::mutex mu_;
  std::map<FaultKind, Fault> faults_ GUARDED_BY(mu_);
};

}  // namespace redoubt::lab
