#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/json.h"
#include "server/alert/alert.h"
#include "server/alert/rule.h"

namespace redoubt::alert {

using base::Json;
using base::Lang;
using monitor::InfoFields;
using monitor::ProbeFailure;
using monitor::Sample;
using Change = AlertEvent::Change;

inline Json RulesOfTheProduct() {
  std::ifstream file(std::string(REDOUBT_SOURCE_DIR) + "/knowledge/rules/alerts.json");
  std::stringstream text;
  text << file.rdbuf();
  auto json = base::ParseJson(text.str());
  EXPECT_TRUE(json.ok()) << json.status().message();
  return json.ok() ? *json : Json();
}

// A primary that is well; tests change single fields.
inline constexpr std::string_view kHealthy =
    "redis_version:7.0.15\nrun_id:aaa\nuptime_in_seconds:5000\n"
    "connected_clients:11\nmaxclients:10000\nblocked_clients:0\n"
    "used_memory:10485760\nused_memory_human:10.00M\nused_memory_rss:12582912\nused_memory_rss_human:12.00M\n"
    "maxmemory:104857600\nmaxmemory_human:100.00M\nmaxmemory_policy:noeviction\nmem_not_counted_for_evict:0\n"
    "mem_fragmentation_ratio:1.2\nallocator_frag_ratio:1.1\nallocator_frag_bytes:1048576\n"
    "loading:0\nrdb_changes_since_last_save:0\nrdb_bgsave_in_progress:0\nrdb_last_bgsave_status:ok\n"
    "aof_enabled:0\naof_rewrite_in_progress:0\naof_last_bgrewrite_status:ok\naof_last_write_status:ok\n"
    "rejected_connections:40\nevicted_keys:0\nsync_full:1\ntotal_error_replies:5\n"
    "role:master\nconnected_slaves:0\nmaster_repl_offset:1000\nrepl_backlog_size:1048576\n"
    "errorstat_OOM:count=100\ncmdstat_info:calls=10,usec=5\ncmdstat_blpop:calls=7,usec=5\n"
    "db0:keys=1000,expires=0,avg_ttl=0\n";

// An engine with the rules of the product, fed with one server's samples every five seconds.
class AlertTest : public testing::Test {
 protected:
  AlertTest() { Begin(); }

  void Begin() {
    AlertEngine::Deps deps;
    deps.clock = &clock_;
    deps.store = store_;
    auto engine = AlertEngine::Create(RulesOfTheProduct(), std::move(deps));
    ASSERT_TRUE(engine.ok()) << engine.status().message();
    engine_ = std::move(*engine);
  }

  Sample Make(std::string_view changes = "") {
    Sample sample;
    sample.instance = "in_1";
    sample.at_ms = clock_.WallMillis();
    sample.reachable = true;
    sample.ping_us = 300;
    sample.interval_ms = 5000;
    sample.own_connections = 1;
    sample.hit_rate = 95;
    sample.info = InfoFields::Parse(kHealthy);
    InfoFields changed = InfoFields::Parse(changes);
    for (InfoFields::Field field : changed) sample.info.Set(field.name, field.value);
    return sample;
  }
  Sample Without(std::string_view name, std::string_view changes = "") {
    Sample sample = Make(changes);
    std::string text;
    for (InfoFields::Field field : sample.info) {
      if (field.name != name) text.append(field.name).append(":").append(field.value).append("\n");
    }
    sample.info = InfoFields::Parse(text);
    return sample;
  }
  Sample Away(ProbeFailure failure) {
    Sample sample;
    sample.instance = "in_1";
    sample.at_ms = clock_.WallMillis();
    sample.failure = failure;
    sample.interval_ms = 5000;
    return sample;
  }

  std::vector<AlertEvent> Feed(Sample sample) {
    sample.at_ms = clock_.WallMillis();
    std::vector<AlertEvent> events = engine_->Observe(sample);
    clock_.AdvanceMillis(5000);
    return events;
  }
  std::vector<AlertEvent> Feed(std::string_view changes = "") { return Feed(Make(changes)); }
  // The same sample again and again; all events.
  std::vector<AlertEvent> FeedFor(int seconds, std::string_view changes = "") {
    std::vector<AlertEvent> all;
    for (int i = 0; i < seconds; i += 5) {
      for (AlertEvent& event : Feed(changes)) all.push_back(std::move(event));
    }
    return all;
  }

  // The firing alert whose findings name the rule.
  std::optional<Alert> Firing(const std::string& rule) {
    for (const Alert& alert : engine_->Firing("in_1")) {
      for (const Finding& finding : alert.findings) {
        if (finding.rule == rule) return alert;
      }
    }
    return std::nullopt;
  }
  std::optional<Severity> SeverityOf(const std::string& rule) {
    for (const Alert& alert : engine_->Firing("in_1")) {
      for (const Finding& finding : alert.findings) {
        if (finding.rule == rule) return finding.severity;
      }
    }
    return std::nullopt;
  }

  base::FakeClock clock_;
  AlertStore store_ = MemoryAlertStore();
  std::unique_ptr<AlertEngine> engine_;
};

inline constexpr auto kWarning = std::optional(Severity::kWarning);
inline constexpr auto kCritical = std::optional(Severity::kCritical);

}  // namespace redoubt::alert
