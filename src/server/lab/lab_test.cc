#include "server/lab/lab.h"

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "base/json.h"
#include "resp/test_server.h"
#include "server/lab/eligibility.h"
#include "server/lab/memory_fill.h"

namespace redoubt::lab {
namespace {

using resp::TestServer;
using Engine = TestServer::Engine;
using namespace std::chrono_literals;

class LabTest : public testing::TestWithParam<Engine> {
 protected:
  void StartServer(std::vector<std::string> arguments) {
    server_ = TestServer::Start({.engine = GetParam(), .arguments = std::move(arguments)});
    ASSERT_TRUE(server_);
    target_.id = "in_1";
    target_.name = "practice";
    target_.connect = server_->connect_options();
    target_.test_faults = true;
    target_.interval_ms = 100;
    Begin();
  }
  void Begin(int auto_cleanup_ms = 60'000) {
    lab_.reset();
    Lab::Deps deps;
    deps.clock = &clock_;
    deps.target = [this](const std::string& id) -> base::Result<Target> {
      if (id != target_.id) return base::NotFound("no instance");
      return target_;
    };
    deps.journal = journal_;
    deps.on_change = [this](const Fault& fault) {
      std::lock_guard lock(mu_);
      last_ = fault;
    };
    deps.auto_cleanup_ms = auto_cleanup_ms;
    lab_ = std::make_unique<Lab>(std::move(deps));
  }
  Outcome Expect(base::Result<Answer> answer) {
    EXPECT_TRUE(answer.ok()) << answer.status().message();
    EXPECT_TRUE(answer.ok() && answer->outcome) << (answer.ok() ? answer->refusal->message.en : "");
    return answer.ok() ? answer->outcome.value_or(Outcome{}) : Outcome{};
  }
  std::string RefusalOf(base::Result<Answer> answer) {
    EXPECT_TRUE(answer.ok() && answer->refusal);
    return answer.ok() && answer->refusal ? answer->refusal->code : "";
  }
  Fault last() {
    std::lock_guard lock(mu_);
    return last_;
  }
  bool Eventually(const std::function<bool()>& check, std::chrono::milliseconds limit = 20s) {
    auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
      if (check()) return true;
      std::this_thread::sleep_for(20ms);
    }
    return false;
  }
  int64_t Keys() { return server_->Call({"DBSIZE"}).integer(); }
  int64_t Clients() {
    std::string info = server_->Call({"INFO", "clients"}).text();
    return std::stoll(info.substr(info.find("connected_clients:") + 18)) - 1;
  }

  base::SystemClock clock_;
  std::unique_ptr<TestServer> server_;
  Target target_;
  Journal journal_ = MemoryJournal();
  std::mutex mu_;
  Fault last_;
  std::unique_ptr<Lab> lab_;
};
INSTANTIATE_TEST_SUITE_P(Servers, LabTest, testing::Values(Engine::kRedis, Engine::kValkey),
                         [](const auto& info) { return info.param == Engine::kRedis ? "Redis" : "Valkey"; });

TEST_P(LabTest, FillsMemoryUntilTheServerRefusesAndTakesItBack) {
  StartServer({"--maxmemory", "8mb"});
  Outcome started = Expect(lab_->FillMemory("in_1", 0));
  EXPECT_EQ(started.status, "started");
  ASSERT_TRUE(started.fault);
  ASSERT_TRUE(Eventually([&] { return last().error_type == "OOM"; }));
  Outcome again = Expect(lab_->FillMemory("in_1", 0));
  EXPECT_EQ(again.status, "error_triggered");
  EXPECT_EQ(again.error_type, "OOM");
  EXPECT_NE(again.message.en.find("OOM command not allowed"), std::string::npos);
  EXPECT_GT(server_->Call({"PTTL", server_->Call({"RANDOMKEY"}).text()}).integer(), 0);
  Outcome cleaned = Expect(lab_->Cleanup("in_1"));
  EXPECT_EQ(cleaned.status, "cleaned");
  EXPECT_EQ(Keys(), 0);
  EXPECT_EQ(Clients(), 0);
  EXPECT_EQ(last().state, FaultState::kCleaned);
}

TEST_P(LabTest, AFullServerAnswersWithTheErrorAtOnce) {
  StartServer({});
  ASSERT_EQ(server_->Call({"SET", "redoubt:fault:x", std::string(6 << 20, 'x')}).text(), "OK");
  ASSERT_EQ(server_->Call({"CONFIG", "SET", "maxmemory", "4mb"}).text(), "OK");
  Outcome outcome = Expect(lab_->FillMemory("in_1", 5));
  EXPECT_EQ(outcome.status, "error_triggered");
  EXPECT_EQ(outcome.error_type, "OOM");
  EXPECT_NE(outcome.message.ko.find("OOM command not allowed"), std::string::npos);
  base::Json reply = ToJson(outcome, base::Lang::kKo);
  EXPECT_EQ(reply["status"], "error_triggered");
  EXPECT_EQ(reply["error_type"], "OOM");
}

TEST_P(LabTest, SizeBoundsTheFill) {
  StartServer({"--maxmemory", "64mb"});
  target_.interval_ms = 10;
  int64_t before = std::stoll(server_->Call({"INFO", "memory"}).text().substr(22));
  Expect(lab_->FillMemory("in_1", 5));
  ASSERT_TRUE(Eventually([&] { return last().progress >= 0.98; }));
  std::this_thread::sleep_for(300ms);
  int64_t grown = std::stoll(server_->Call({"INFO", "memory"}).text().substr(22)) - before;
  EXPECT_GT(grown, 4 << 20);
  EXPECT_LT(grown, 8 << 20);
}

TEST_P(LabTest, ManyConnectionsLeaveFivePercentFree) {
  StartServer({"--maxclients", "50"});
  Outcome outcome = Expect(lab_->ManyConnections("in_1", 5000));
  EXPECT_EQ(outcome.status, "started");
  EXPECT_EQ(Clients(), 47);
  EXPECT_EQ(server_->Call({"PING"}).text(), "PONG");                    // a seat is left
  EXPECT_EQ(*lab_->Describe("in_1")->limits.many_connections_max, 46);  // the panel's own connection sits too
  Expect(lab_->Cleanup("in_1"));
  EXPECT_TRUE(Eventually([&] { return Clients() == 0; }));
}

TEST_P(LabTest, SlowQueryShowsInTheSlowlogAndSettingsComeBack) {
  StartServer({"--slowlog-log-slower-than", "-1"});
  auto begin = std::chrono::steady_clock::now();
  Outcome outcome = Expect(lab_->SlowQuery("in_1", 0.6));
  auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(outcome.status, "done");
  EXPECT_GT(took, 500ms);
  EXPECT_LT(took, 15s);  // a busy machine gives the script little CPU
  EXPECT_GE(server_->Call({"SLOWLOG", "LEN"}).integer(), 1);
  EXPECT_EQ(journal_.load()->size(), 1u);
  Expect(lab_->Cleanup("in_1"));
  EXPECT_EQ(server_->Call({"CONFIG", "GET", "slowlog-log-slower-than"}).elements()[1].text(), "-1");
  EXPECT_TRUE(journal_.load()->empty());
  EXPECT_EQ(Keys(), 0);
}

TEST_P(LabTest, ASettingThatSomebodyElseChangedSinceIsLeftAlone) {
  StartServer({"--slowlog-log-slower-than", "-1"});
  Expect(lab_->SlowQuery("in_1", 0.3));
  server_->Call({"CONFIG", "SET", "slowlog-log-slower-than", "777"});
  Expect(lab_->Cleanup("in_1"));
  EXPECT_EQ(server_->Call({"CONFIG", "GET", "slowlog-log-slower-than"}).elements()[1].text(), "777");
}

TEST_P(LabTest, EndsByItself) {
  StartServer({"--maxmemory", "8mb", "--maxclients", "50"});
  Begin(1500);
  Expect(lab_->ManyConnections("in_1", 20));
  EXPECT_EQ(Clients(), 20);
  EXPECT_TRUE(Eventually([&] { return Clients() == 0 && last().state == FaultState::kCleaned; }));
}

TEST_P(LabTest, WhatAKilledProcessLeftIsTakenBackAtTheNextStart) {
  StartServer({"--slowlog-log-slower-than", "12345", "--maxmemory", "20mb"});
  // As a kill leaves it: the journal, a changed setting and keys.
  auto entry =
      base::ParseJson(R"({"instance":"in_1","config":{"slowlog-log-slower-than":{"was":"-1","set":"12345"}}})");
  ASSERT_TRUE(journal_.save("in_1", *entry).ok());
  server_->Call({"SET", "redoubt:fault:fill:1", "x"});
  server_->Call({"SET", "mine", "x"});
  Begin();
  lab_->Recover();
  EXPECT_TRUE(Eventually([&] { return journal_.load()->empty(); }));
  EXPECT_EQ(server_->Call({"CONFIG", "GET", "slowlog-log-slower-than"}).elements()[1].text(), "-1");
  EXPECT_EQ(Keys(), 1);
  EXPECT_EQ(server_->Call({"GET", "mine"}).text(), "x");
}

TEST_P(LabTest, KeysExpireByThemselvesWhenNobodyCleansUp) {
  StartServer({"--maxmemory", "64mb"});
  auto client = resp::Client::Connect(server_->connect_options());
  ASSERT_TRUE(client.ok());
  std::atomic<bool> stop = false;
  FillPlan plan{1 << 20, 50e6};
  FillMemory(**client, plan, clock_.WallMillis() + 1200, clock_, stop, [](const FillProgress&) {});
  EXPECT_TRUE(Eventually([&] { return Keys() == 0; }, 10s));
}

TEST_P(LabTest, RefusesWhereItIsNotGranted) {
  StartServer({"--maxmemory", "8mb"});
  target_.test_faults = false;
  auto answer = lab_->FillMemory("in_1", 5, "practice");  // the name does not help here
  ASSERT_TRUE(answer.ok() && answer->refusal);
  EXPECT_EQ(answer->refusal->code, "faults_not_allowed");
  EXPECT_EQ(answer->refusal->status.code(), base::StatusCode::kPermissionDenied);
  EXPECT_NE(answer->refusal->message.en.find("--allow-test-faults"), std::string::npos);
  EXPECT_EQ(RefusalOf(lab_->SlowQuery("in_1", 1)), "faults_not_allowed");
  EXPECT_EQ(RefusalOf(lab_->ManyConnections("in_1", 1)), "faults_not_allowed");
  EXPECT_EQ(Keys(), 0);
  auto panel = lab_->Describe("in_1");
  ASSERT_TRUE(panel.ok());
  EXPECT_FALSE(ToJson(*panel, base::Lang::kKo)["allowed"]);
}

TEST_P(LabTest, RefusesWhereMaxmemoryIsZeroUnlessConfirmedByName) {
  StartServer({});
  target_.interval_ms = 10;
  EXPECT_EQ(RefusalOf(lab_->FillMemory("in_1", 3)), "no_maxmemory");
  EXPECT_EQ(RefusalOf(lab_->FillMemory("in_1", 3, "another")), "no_maxmemory");
  EXPECT_EQ(Expect(lab_->FillMemory("in_1", 3, "practice")).status, "started");
}

TEST_P(LabTest, RefusesWhereForeignKeysCouldBeEvicted) {
  StartServer({"--maxmemory", "20mb", "--maxmemory-policy", "allkeys-lru"});
  server_->Call({"SET", "mine", "x"});
  EXPECT_EQ(RefusalOf(lab_->FillMemory("in_1", 3)), "foreign_keys");
  EXPECT_EQ(server_->Call({"GET", "mine"}).text(), "x");
}

TEST_P(LabTest, RefusesWhileOthersAreConnected) {
  StartServer({"--maxmemory", "20mb"});
  auto other = resp::Client::Connect(server_->connect_options());
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(RefusalOf(lab_->SlowQuery("in_1", 0.2)), "other_clients");
  EXPECT_EQ(Expect(lab_->SlowQuery("in_1", 0.2, "practice")).status, "done");
  EXPECT_TRUE((*other)->Command({"CLIENT", "SETNAME", "redoubt"}).ok());  // ours does not count
  EXPECT_EQ(Expect(lab_->SlowQuery("in_1", 0.2)).status, "done");
}

TEST_P(LabTest, RefusesWhereReplicasHangOn) {
  StartServer({"--maxmemory", "50mb"});
  auto replica = TestServer::Start(
      {.engine = GetParam(), .arguments = {"--replicaof", "127.0.0.1 " + std::to_string(server_->port())}});
  ASSERT_TRUE(replica);
  ASSERT_TRUE(Eventually([&] { return server_->Call({"ROLE"}).elements()[2].elements().size() == 1; }));
  EXPECT_EQ(RefusalOf(lab_->FillMemory("in_1", 3)), "has_replicas");
  target_.connect = replica->connect_options();
  EXPECT_EQ(RefusalOf(lab_->SlowQuery("in_1", 0.2, "practice")), "is_replica");
}

TEST_P(LabTest, RefusesNumbersThatCannotBeRight) {
  StartServer({});
  EXPECT_EQ(lab_->FillMemory("in_1", -1).status().code(), base::StatusCode::kInvalidArgument);
  EXPECT_EQ(lab_->ManyConnections("in_1", 0).status().code(), base::StatusCode::kInvalidArgument);
  EXPECT_EQ(lab_->FillMemory("in_2", 1).status().code(), base::StatusCode::kNotFound);
}

TEST(FillPlan, LetsThreePollsFallOnEachTenth) {
  for (int interval_ms : {1000, 2000, 5000}) {
    FillPlan plan = PlanFill(50 << 20, 1 << 20, 0, interval_ms, 240'000);
    double seconds_per_tenth = 5.0 * (1 << 20) / plan.bytes_per_second;
    EXPECT_GE(seconds_per_tenth, 3.0 * interval_ms / 1000) << interval_ms;
    EXPECT_LE(plan.target_bytes, (55 << 20));
  }
}

TEST(FillPlan, EndsWithinItsBudgetAtSlowPollsAndNeverPassesTheLimit) {
  FillPlan plan = PlanFill(50 << 20, 1 << 20, 0, 60'000, 240'000);
  EXPECT_LE(static_cast<double>(plan.target_bytes) / plan.bytes_per_second, 241);
  EXPECT_LE(PlanFill(50 << 20, 1 << 20, 500 << 20, 5000, 240'000).target_bytes, 55 << 20);
  EXPECT_EQ(PlanFill(50 << 20, 60 << 20, 0, 5000, 240'000).target_bytes, 0);
  EXPECT_EQ(PlanFill(50 << 20, 1 << 20, 3 << 20, 5000, 240'000).target_bytes, 3 << 20);
}

}  // namespace
}  // namespace redoubt::lab
