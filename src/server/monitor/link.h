#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "resp/client.h"
#include "server/monitor/capability.h"
#include "server/monitor/instances.h"
#include "server/monitor/sample.h"
#include "server/monitor/slowlog_cursor.h"

namespace redoubt::monitor {

// The one kept-open connection to a watched server, and all that is asked over it, as politely as it can be: INFO at
// each poll, SLOWLOG only for new ids, CONFIG GET of fixed names now and then, CLIENT LIST when an analysis wants it.
// Never MONITOR, KEYS or CONFIG GET *. One thread at a time.
class Link {
 public:
  struct Timing {
    int config_refresh_ms = 600'000;
    int client_list_spacing_ms = 60'000;
    int slow_ping_us = 200'000;
  };
  static constexpr int kMaxClientsListed = 5'000;

  Link(std::string instance, resp::ConnectOptions options, const base::Clock& clock, Timing timing);

  // First contact: connects, finds out what is allowed, reads the settings.
  std::optional<ConnectError> Open();
  // One poll. Reconnects when needed, not more often than the back-off allows.
  Sample Poll();
  // Everything for an analysis; `budget_ms` bounds all of it together.
  Snapshot Collect(bool all_clients, int budget_ms);

  void Close() { client_.reset(); }

  bool connected() const { return client_ != nullptr && client_->connected(); }
  bool slow() const { return slow_; }  // the last PING was slow: poll half as often
  const Capabilities& capabilities() const { return capabilities_; }
  const ServerFacts& facts() const { return facts_; }

 private:
  Sample NewSample() const;
  bool Reconnect(Sample& sample);
  void Fail(Sample& sample, ProbeFailure failure, std::string error);
  void FailBy(Sample& sample, const base::Status& status);
  bool Ping(Sample& sample);
  bool ReadInfo(Sample& sample);
  void ReadNewSlowlog(Sample& sample);
  void ReadFacts(const InfoFields& info);
  void RefreshConfig(bool force);
  void CollectSlowlog(Snapshot& snapshot);
  void CollectLatency(Snapshot& snapshot);
  void CollectClients(Snapshot& snapshot, bool all_clients);
  void NoteMissing(Snapshot& snapshot) const;
  bool MayCall(std::string_view capability) const;
  int TimeLeftMs() const;
  base::Result<resp::Reply> Call(std::initializer_list<std::string_view> argv);

  const std::string instance_;
  const resp::ConnectOptions options_;
  const base::Clock& clock_;
  const Timing timing_;
  std::unique_ptr<resp::Client> client_;
  Capabilities capabilities_;
  bool capabilities_known_ = false;
  ServerFacts facts_;
  bool info_with_modules_ = false;  // INFO everything: since 6.0
  bool slow_ = false;
  int64_t budget_end_us_ = 0;  // of a Collect(); 0: the command timeout alone

  int failed_connects_ = 0;
  int64_t next_connect_us_ = 0;
  ProbeFailure last_failure_ = ProbeFailure::kNone;
  std::string last_error_;

  SlowlogCursor slowlog_;
  std::shared_ptr<const ConfigValues> config_;
  int64_t config_read_us_ = 0;
  std::vector<ClientRow> clients_;
  std::optional<int64_t> clients_read_us_;
};

}  // namespace redoubt::monitor
