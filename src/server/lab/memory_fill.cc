#include "server/lab/memory_fill.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "server/lab/lab.h"

namespace redoubt::lab {

using base::Result;

namespace {

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr size_t kMostPerTick = 200;    // commands, so that one tick never holds the server for long
constexpr double kPollsPerTenth = 3.5;  // three, and a half for polls that come late
constexpr size_t kSmallestValue = 1000;
constexpr size_t kLargestValue = 120'000;

Result<int64_t> UsedMemory(resp::Client& client) {
  ASSIGN_OR_RETURN(resp::Reply reply, client.Command({"INFO", "memory"}));
  const std::string info = reply.text();
  size_t at = info.find("used_memory:");
  if (at == std::string::npos) return base::FailedPrecondition("INFO memory: " + info.substr(0, 100));
  return std::strtoll(info.c_str() + at + 12, nullptr, 10);
}

class Filler {
 public:
  Filler(resp::Client& client, const FillPlan& plan, int64_t expire_at_ms, const base::Clock& clock)
      : client_(client), plan_(plan), expire_at_ms_(expire_at_ms), clock_(clock) {
    double per_tick = plan.bytes_per_second / 10;
    value_size_ = static_cast<size_t>(std::clamp(per_tick / 4, 1.0 * kSmallestValue, 1.0 * kLargestValue));
    run_id_ = clock.WallMillis();
  }

  // False when the connection broke.
  bool Tick(FillProgress& progress) {
    Result<int64_t> used = UsedMemory(client_);
    if (!used.ok()) return Failed(progress, used.status());
    if (first_used_ < 0) {
      first_used_ = *used;
      began_us_ = clock_.SteadyMicros();
    }
    int64_t grown = *used - first_used_;
    progress.share = plan_.target_bytes > 0 ? std::clamp(1.0 * grown / plan_.target_bytes, 0.0, 1.0) : 1.0;
    if (progress.finished) return TryOnce(progress);
    if (grown >= plan_.target_bytes) {
      progress.finished = true;
      return true;
    }
    double elapsed_s = static_cast<double>(clock_.SteadyMicros() - began_us_) / 1e6;
    double planned = std::min(plan_.bytes_per_second * elapsed_s, static_cast<double>(plan_.target_bytes));
    double lacking = planned - static_cast<double>(grown);
    if (lacking < static_cast<double>(value_size_) / 2) return true;
    return Write(static_cast<size_t>(lacking / static_cast<double>(value_size_)) + 1, progress);
  }

 private:
  bool Failed(FillProgress& progress, base::Status status) {
    progress.failure = std::move(status);
    return false;
  }

  std::vector<std::string> NextSet() {
    int64_t ttl_ms = std::max<int64_t>(1000, expire_at_ms_ - clock_.WallMillis());
    return {"SET", fmt::format("{}fill:{}:{}", kKeyPrefix, run_id_, next_key_++), std::string(value_size_, 'x'), "PX",
            std::to_string(ttl_ms)};
  }

  bool Write(size_t count, FillProgress& progress) {
    std::vector<std::vector<std::string>> commands;
    for (size_t i = 0; i < std::min(count, kMostPerTick); ++i) commands.push_back(NextSet());
    Result<std::vector<resp::Reply>> replies = client_.Pipeline(commands);
    if (!replies.ok()) return Failed(progress, replies.status());
    for (const resp::Reply& reply : *replies) Note(reply, progress);
    return true;
  }

  static void Note(const resp::Reply& reply, FillProgress& progress) {
    if (!reply.IsError()) return;
    ++progress.refused;
    progress.refusal = reply.text();
    progress.finished = true;
  }

  // A refused server is left alone but for one write a second.
  bool TryOnce(FillProgress& progress) {
    int64_t now_us = clock_.SteadyMicros();
    if (progress.refused == 0 || now_us - last_try_us_ < 1'000'000) return true;
    last_try_us_ = now_us;
    return Write(1, progress);
  }

  resp::Client& client_;
  const FillPlan plan_;
  const int64_t expire_at_ms_;
  const base::Clock& clock_;
  size_t value_size_ = kSmallestValue;
  int64_t run_id_ = 0;
  int64_t next_key_ = 0;
  int64_t first_used_ = -1;
  int64_t began_us_ = 0;
  int64_t last_try_us_ = 0;
};

}  // namespace

FillPlan PlanFill(int64_t maxmemory, int64_t used_memory, int64_t wanted_bytes, int interval_ms, int64_t budget_ms) {
  FillPlan plan;
  int64_t room = maxmemory > 0 ? std::max<int64_t>(0, maxmemory + maxmemory / 10 - used_memory) : wanted_bytes;
  plan.target_bytes = wanted_bytes > 0 ? std::min(wanted_bytes, room) : room;
  double tenth = static_cast<double>(maxmemory > 0 ? maxmemory : plan.target_bytes) / 10;
  double polite = tenth / (kPollsPerTenth * std::max(interval_ms, 1) / 1000.0);
  double least = static_cast<double>(plan.target_bytes) / (static_cast<double>(std::max<int64_t>(budget_ms, 1)) / 1000);
  plan.bytes_per_second = std::max(polite, least);
  return plan;
}

void FillMemory(resp::Client& client, const FillPlan& plan, int64_t expire_at_ms, const base::Clock& clock,
                const std::atomic<bool>& stop, const std::function<void(const FillProgress&)>& report) {
  Filler filler(client, plan, expire_at_ms, clock);
  FillProgress progress;
  while (!stop && clock.WallMillis() < expire_at_ms) {
    bool alive = filler.Tick(progress);
    report(progress);
    if (!alive) return;
    std::this_thread::sleep_for(kTick);
  }
}

Result<std::string> TryWrite(resp::Client& client, const std::string& key, size_t bytes, int64_t ttl_ms) {
  ASSIGN_OR_RETURN(resp::Reply reply,
                   client.Command({"SET", key, std::string(bytes, 'x'), "PX", std::to_string(ttl_ms)}));
  return reply.IsError() ? reply.text() : std::string();
}

Result<int64_t> DeleteFaultKeys(resp::Client& client) {
  const std::string pattern = std::string(kKeyPrefix) + "*";
  std::string cursor = "0";
  int64_t deleted = 0;
  do {
    ASSIGN_OR_RETURN(resp::Reply page, client.Command({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"}));
    if (page.elements().size() != 2) return base::FailedPrecondition("SCAN: " + page.text());
    cursor = page.elements()[0].text();
    std::vector<std::string> unlink = {"UNLINK"};
    for (const resp::Reply& key : page.elements()[1].elements()) unlink.push_back(key.text());
    if (unlink.size() == 1) continue;
    ASSIGN_OR_RETURN(resp::Reply reply, client.Command(unlink));
    if (reply.IsError()) return base::FailedPrecondition("UNLINK: " + reply.text());
    deleted += reply.integer();
  } while (cursor != "0");
  return deleted;
}

}  // namespace redoubt::lab
