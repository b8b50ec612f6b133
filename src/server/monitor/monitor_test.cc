#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/json.h"
#include "resp/test_server.h"
#include "server/monitor/instance_record.h"
#include "server/monitor/instances.h"
#include "server/monitor/poll_schedule.h"

namespace redoubt::monitor {
namespace {

using resp::TestServer;
using Engine = TestServer::Engine;
using namespace std::chrono_literals;

// Gathers samples and waits for one that is wanted.
class Samples {
 public:
  void Put(const Sample& sample) {
    std::lock_guard lock(mu_);
    samples_.push_back(sample);
    arrived_.notify_all();
  }
  bool WaitFor(const std::function<bool(const Sample&)>& wanted, std::chrono::milliseconds limit = 15s) {
    std::unique_lock lock(mu_);
    return arrived_.wait_for(lock, limit, [&] {
      for (; next_ < samples_.size(); ++next_) {
        if (wanted(samples_[next_])) {
          found_ = samples_[next_++];
          return true;
        }
      }
      return false;
    });
  }
  size_t CountOf(const std::string& instance) {
    std::lock_guard lock(mu_);
    size_t count = 0;
    for (const Sample& sample : samples_) count += sample.instance == instance ? 1 : 0;
    return count;
  }
  const Sample& found() const { return found_; }

 private:
  std::mutex mu_;
  std::condition_variable arrived_;
  std::vector<Sample> samples_;
  size_t next_ = 0;
  Sample found_;
};

class MonitorTest : public testing::Test {
 protected:
  MonitorTest() { Begin(MemoryInstanceStore()); }

  void Begin(InstanceStore store) {
    monitor_.reset();
    Monitor::Deps deps;
    deps.clock = &clock_;
    deps.sink = [this](const Sample& sample) { samples_.Put(sample); };
    deps.store = std::move(store);
    monitor_ = std::make_unique<Monitor>(std::move(deps));
  }
  InstanceConfig ConfigFor(const TestServer& server) {
    InstanceConfig config;
    config.connect = server.connect_options();
    config.connect.client_name = "redoubt";
    config.interval_s = 1;
    return config;
  }
  std::string Watch(const TestServer& server) {
    auto result = monitor_->Connect(ConfigFor(server));
    EXPECT_TRUE(result.ok()) << result.status().message();
    EXPECT_FALSE(result->error) << result->error->message.en;
    return result->instance;
  }
  ConnectError FailureOf(const InstanceConfig& config) {
    auto result = monitor_->Connect(config);
    EXPECT_TRUE(result.ok());
    EXPECT_TRUE(result->error);
    return result->error.value_or(ConnectError{});
  }

  base::SystemClock clock_;
  Samples samples_;
  std::unique_ptr<Monitor> monitor_;
};

bool Reachable(const Sample& sample) { return sample.reachable; }
bool Away(const Sample& sample) { return !sample.reachable; }

TEST_F(MonitorTest, WatchesBothEngines) {
  for (Engine engine : {Engine::kRedis, Engine::kValkey}) {
    auto server = TestServer::Start({.engine = engine, .arguments = {}});
    ASSERT_TRUE(server);
    std::string id = Watch(*server);
    ASSERT_TRUE(samples_.WaitFor([&](const Sample& sample) { return sample.instance == id && sample.reachable; }));
    EXPECT_GT(samples_.found().ping_us, 0);
    EXPECT_EQ(MetricsOf(samples_.found())["connected_clients"], 0);  // ours does not count
    InstanceStatus status = *monitor_->Instance(id);
    EXPECT_EQ(status.state, InstanceState::kConnected);
    EXPECT_EQ(status.server.engine, engine == Engine::kRedis ? "redis" : "valkey");
    EXPECT_EQ(status.server.role, "master");
    EXPECT_EQ(status.config.connect.password, "");
    ASSERT_TRUE(monitor_->Disconnect(id).ok());
    EXPECT_FALSE(monitor_->Instance(id));
  }
}

TEST_F(MonitorTest, KeepsOneNamedConnectionAndAsksOnlyForWhatIsPolite) {
  auto server = TestServer::Start();
  ASSERT_TRUE(server);
  std::string id = Watch(*server);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(samples_.WaitFor(Reachable));
  ASSERT_TRUE(monitor_->Collect(id).ok());
  std::string clients = server->Call({"CLIENT", "LIST"}).text();
  size_t first = clients.find("name=redoubt ");
  EXPECT_NE(first, std::string::npos) << clients;
  EXPECT_EQ(clients.find("name=redoubt ", first + 1), std::string::npos) << clients;
  InfoFields stats = InfoFields::Parse(server->Call({"INFO", "commandstats"}).text());
  for (InfoFields::Field field : stats) {
    EXPECT_FALSE(field.name == "cmdstat_keys" || field.name == "cmdstat_monitor" || field.name == "cmdstat_scan")
        << field.name;
  }
}

TEST_F(MonitorTest, ReadsTheSettingsAtConnectAndNotAgainWithEachPoll) {
  auto server = TestServer::Start();
  ASSERT_TRUE(server);
  Watch(*server);
  ASSERT_TRUE(samples_.WaitFor(Reachable));
  ASSERT_TRUE(samples_.found().config);
  EXPECT_EQ(samples_.found().config->at("maxmemory-policy"), "noeviction");
  EXPECT_FALSE(samples_.found().config->contains("requirepass"));
  EXPECT_FALSE(samples_.found().config->contains("masterauth"));
  auto calls = [&] {
    return *InfoFields::Parse(server->Call({"INFO", "commandstats"}).text()).Sub("cmdstat_config|get", "calls");
  };
  double before = calls();
  ASSERT_TRUE(samples_.WaitFor(Reachable));
  ASSERT_TRUE(samples_.WaitFor(Reachable));
  EXPECT_EQ(calls(), before);
}

// On a busy machine any command may take long enough for the slowlog, so only those that the test made slow count.
std::vector<SlowlogEntry> Scripts(std::vector<SlowlogEntry> entries) {
  std::erase_if(entries, [](const SlowlogEntry& entry) { return entry.args[0] != "EVAL"; });
  return entries;
}

TEST_F(MonitorTest, GivesNewSlowlogEntriesOnceAndNotOldOnes) {
  auto server = TestServer::Start({.engine = Engine::kRedis, .arguments = {"--slowlog-log-slower-than", "20000"}});
  ASSERT_TRUE(server);
  const char* loop =
      "local t=redis.call('TIME') local s=t[1]*1000000+t[2] repeat t=redis.call('TIME') until "
      "t[1]*1000000+t[2]-s>40000 return 1";
  server->Call({"EVAL", loop, "0"});  // old: before we watch
  std::string id = Watch(*server);
  ASSERT_TRUE(samples_.WaitFor(Reachable));
  EXPECT_TRUE(Scripts(samples_.found().new_slowlog).empty());
  server->Call({"EVAL", loop, "0"});
  ASSERT_TRUE(samples_.WaitFor([](const Sample& sample) { return !Scripts(sample.new_slowlog).empty(); }));
  std::vector<SlowlogEntry> scripts = Scripts(samples_.found().new_slowlog);
  ASSERT_EQ(scripts.size(), 1u);
  EXPECT_GE(scripts[0].duration_us, 40'000);
  ASSERT_TRUE(samples_.WaitFor(Reachable));
  EXPECT_TRUE(Scripts(samples_.found().new_slowlog).empty());
  EXPECT_EQ(Scripts(monitor_->Collect(id)->slowlog).size(), 2u);
}

TEST_F(MonitorTest, OldSlowlogEntriesAreNotNewAfterAnErrorReply) {
  auto server = TestServer::Start({.engine = Engine::kRedis, .arguments = {"--slowlog-log-slower-than", "0"}});
  ASSERT_TRUE(server);
  server->Call({"EVAL", "return 'old'", "0"});
  Watch(*server);
  ASSERT_TRUE(samples_.WaitFor(Reachable));
  auto asked = [&] {
    return *InfoFields::Parse(server->Call({"INFO", "commandstats"}).text())
                .Sub("cmdstat_slowlog|get", "rejected_calls");
  };
  server->Call({"ACL", "SETUSER", "default", "-slowlog"});
  for (double before = asked(); asked() == before;) ASSERT_TRUE(samples_.WaitFor(Reachable));
  server->Call({"ACL", "SETUSER", "default", "+slowlog"});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(samples_.WaitFor(Reachable));
    EXPECT_TRUE(Scripts(samples_.found().new_slowlog).empty());
  }
}

TEST_F(MonitorTest, ReadsTheClientListForAnAnalysisAtMostOnceAMinute) {
  auto server = TestServer::Start();
  ASSERT_TRUE(server);
  auto other = resp::Client::Connect(server->connect_options());
  ASSERT_TRUE(other.ok());
  std::string id = Watch(*server);
  for (int i = 0; i < 3; ++i) {
    auto snapshot = monitor_->Collect(id);
    ASSERT_TRUE(snapshot.ok());
    ASSERT_EQ(snapshot->clients.size(), 1u);  // ours is left out
    EXPECT_EQ(snapshot->clients[0]["name"], "test");
    EXPECT_TRUE(snapshot->not_seen.empty());
  }
  InfoFields stats = InfoFields::Parse(server->Call({"INFO", "commandstats"}).text());
  EXPECT_EQ(stats.Sub("cmdstat_client|list", "calls"), 2);  // the capability's probe and one list
}

TEST_F(MonitorTest, SurvivesARestartOfTheServerAndNoticesIt) {
  auto server = TestServer::Start();
  ASSERT_TRUE(server);
  server->Call({"SET", "key", "value"});
  Watch(*server);
  ASSERT_TRUE(samples_.WaitFor(Reachable));
  server->Kill();
  ASSERT_TRUE(samples_.WaitFor(Away));
  EXPECT_FALSE(samples_.found().error.empty());
  ASSERT_TRUE(server->Restart());
  ASSERT_TRUE(samples_.WaitFor([](const Sample& sample) { return sample.restarted; }));
  EXPECT_TRUE(samples_.found().data_lost);
  EXPECT_TRUE(samples_.found().reachable);
}

TEST_F(MonitorTest, NoticesARoleChange) {
  auto server = TestServer::Start();
  ASSERT_TRUE(server);
  Watch(*server);
  ASSERT_TRUE(samples_.WaitFor(Reachable));
  server->Call({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_TRUE(samples_.WaitFor([](const Sample& sample) { return sample.role_changed; }));
}

TEST_F(MonitorTest, InstancesAndTheirStateSurviveOurOwnRestart) {
  auto server = TestServer::Start({.engine = Engine::kRedis, .arguments = {"--requirepass", "secret"}});
  auto idle = TestServer::Start();
  ASSERT_TRUE(server && idle);
  InstanceStore store = MemoryInstanceStore();
  Begin(store);
  InstanceConfig config = ConfigFor(*server);
  config.connect.password = "secret";
  config.name = "orders";
  std::string id = monitor_->Connect(config)->instance;
  std::string idle_id = Watch(*idle);
  ASSERT_TRUE(monitor_->Start(id, 2).ok());
  ASSERT_TRUE(monitor_->Stop(idle_id).ok());

  Begin(store);
  ASSERT_TRUE(monitor_->Resume().ok());
  ASSERT_TRUE(samples_.WaitFor([&](const Sample& sample) { return sample.instance == id && sample.reachable; }));
  InstanceStatus status = *monitor_->Instance(id);
  EXPECT_EQ(status.config.name, "orders");
  EXPECT_EQ(status.config.interval_s, 2);
  EXPECT_EQ(monitor_->Instance(idle_id)->state, InstanceState::kIdle);
  EXPECT_EQ(*monitor_->Resolve(""), id);
  EXPECT_EQ(*monitor_->Resolve("orders"), id);
  EXPECT_FALSE(monitor_->Resolve("unknown").ok());
}

TEST_F(MonitorTest, ConnectingAgainToTheSameAddressKeepsTheId) {
  auto server = TestServer::Start();
  ASSERT_TRUE(server);
  std::string id = Watch(*server);
  InstanceConfig config = ConfigFor(*server);
  config.name = "renamed";
  EXPECT_EQ(monitor_->Connect(config)->instance, id);
  ASSERT_EQ(monitor_->Instances().size(), 1u);
  EXPECT_EQ(monitor_->Instances()[0].config.name, "renamed");
}

TEST_F(MonitorTest, FailuresToConnectHaveKindsAndNothingIsKept) {
  auto server = TestServer::Start({.engine = Engine::kRedis, .arguments = {"--requirepass", "secret"}});
  ASSERT_TRUE(server);
  InstanceConfig config = ConfigFor(*server);
  ConnectError error = FailureOf(config);
  EXPECT_EQ(error.code, "redis_auth_required");
  EXPECT_EQ(error.http_status, 401);
  config.connect.password = "wrong";
  error = FailureOf(config);
  EXPECT_EQ(error.code, "redis_auth_failed");
  EXPECT_EQ(error.message.en.find("wrong"), std::string::npos);
  config.connect.tls.emplace();
  config.connect.connect_timeout_ms = 300;
  EXPECT_EQ(FailureOf(config).code, "redis_tls_failed");
  EXPECT_NE(FailureOf(config).message.en.find("plain"), std::string::npos);
  config = InstanceConfig{};
  config.connect.port = resp::FreePort();
  error = FailureOf(config);
  EXPECT_EQ(error.code, "redis_refused");
  EXPECT_EQ(error.http_status, 502);
  server->Pause();
  config = ConfigFor(*server);
  config.connect.command_timeout_ms = 300;
  error = FailureOf(config);
  server->Resume();
  EXPECT_EQ(error.code, "redis_timeout");
  EXPECT_EQ(error.http_status, 504);
  EXPECT_TRUE(monitor_->Instances().empty());
}

TEST_F(MonitorTest, RecognisesASentinel) {
  auto server = TestServer::Start({.engine = Engine::kRedis, .arguments = {"--maxclients", "10"}});
  ASSERT_TRUE(server);
  int port = resp::FreePort();
  std::string config_file = server->folder() + "/sentinel.conf";
  std::string binary = resp::TestServer::Binary(Engine::kRedis);
  FILE* file = fopen(config_file.c_str(), "w");
  fprintf(file, "port %d\nbind 127.0.0.1\ndir %s\ndaemonize yes\npidfile %s/sentinel.pid\nlogfile %s/sentinel.log\n",
          port, server->folder().c_str(), server->folder().c_str(), server->folder().c_str());
  fclose(file);
  ASSERT_EQ(system((binary + " " + config_file + " --sentinel").c_str()), 0);
  InstanceConfig config;
  config.connect.port = port;
  ConnectError error;
  for (int i = 0; i < 50; ++i) {
    error = FailureOf(config);
    if (error.code != "redis_refused") break;
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_EQ(error.code, "redis_is_sentinel");
  EXPECT_EQ(system(("kill $(cat " + server->folder() + "/sentinel.pid)").c_str()), 0);
}

TEST_F(MonitorTest, SaysWhichCapabilitiesAnAclDeniesAndWhatThatCosts) {
  for (Engine engine : {Engine::kRedis, Engine::kValkey}) {
    auto server = TestServer::Start({.engine = engine, .arguments = {}});
    ASSERT_TRUE(server);
    server->Call({"ACL", "SETUSER", "watcher", "on", ">pw", "~*", "+@all", "-config", "-latency", "-client|list"});
    InstanceConfig config = ConfigFor(*server);
    config.connect.username = "watcher";
    config.connect.password = "pw";
    auto result = monitor_->Connect(config);
    ASSERT_TRUE(result.ok() && !result->error);
    std::map<std::string, Capability> by_name;
    for (const Capability& capability : result->capabilities.list) by_name[capability.name] = capability;
    EXPECT_EQ(by_name.size(), 7u);
    for (const char* name : {"CONFIG", "LATENCY", "CLIENT LIST"}) {
      EXPECT_EQ(by_name[name].state, Capability::State::kDenied) << name;
      ASSERT_FALSE(by_name[name].costs.empty());
      EXPECT_FALSE(by_name[name].costs[0].ko.empty());
    }
    for (const char* name : {"INFO", "SLOWLOG", "CLUSTER", "ACL LOG"}) {
      EXPECT_EQ(by_name[name].state, Capability::State::kAllowed) << name << by_name[name].reply;
    }
    auto snapshot = monitor_->Collect(result->instance);
    ASSERT_TRUE(snapshot.ok());
    EXPECT_TRUE(snapshot->now.reachable);
    EXPECT_TRUE(snapshot->not_seen.contains("CONFIG"));
    EXPECT_TRUE(snapshot->not_seen.contains("CLIENT LIST"));
  }
}

TEST_F(MonitorTest, ARenamedCommandIsAbsent) {
  auto server = TestServer::Start({.engine = Engine::kRedis, .arguments = {"--rename-command", "CONFIG", ""}});
  ASSERT_TRUE(server);
  auto result = monitor_->Connect(ConfigFor(*server));
  ASSERT_TRUE(result.ok() && !result->error);
  for (const Capability& capability : result->capabilities.list) {
    EXPECT_EQ(capability.state, capability.name == "CONFIG" ? Capability::State::kAbsent : Capability::State::kAllowed)
        << capability.name;
  }
}

TEST_F(MonitorTest, TheSmallestUserToPasteIsEnough) {
  for (Engine engine : {Engine::kRedis, Engine::kValkey}) {
    auto server = TestServer::Start({.engine = engine, .arguments = {}});
    ASSERT_TRUE(server);
    std::string line = monitor_->Connect(ConfigFor(*server))->capabilities.acl_line;
    std::vector<std::string> words;
    size_t position = 0;
    while (position < line.size()) {
      size_t blank = std::min(line.find(' ', position), line.size());
      words.push_back(line.substr(position, blank - position));
      position = blank + 1;
    }
    auto admin = resp::Client::Connect(server->connect_options());
    ASSERT_TRUE(admin.ok());
    ASSERT_EQ((*admin)->Command(words)->text(), "OK") << line;
    InstanceConfig config = ConfigFor(*server);
    config.connect.username = "redoubt";
    config.connect.password = "CHANGE_ME";
    auto result = monitor_->Connect(config);
    ASSERT_TRUE(result.ok() && !result->error);
    for (const Capability& capability : result->capabilities.list) {
      EXPECT_EQ(capability.state, Capability::State::kAllowed) << capability.name << " " << capability.reply;
    }
    auto snapshot = monitor_->Collect(result->instance);
    EXPECT_TRUE(snapshot->now.reachable) << snapshot->now.error;
    EXPECT_TRUE(snapshot->not_seen.empty());
    EXPECT_FALSE(snapshot->config.empty());
    auto watcher = resp::Client::Connect(config.connect);
    ASSERT_TRUE(watcher.ok());
    EXPECT_TRUE((*watcher)->Command({"GET", "key"})->IsError("NOPERM"));
    EXPECT_TRUE((*watcher)->Command({"CONFIG", "SET", "maxclients", "9"})->IsError("NOPERM"));
  }
}

TEST_F(MonitorTest, HangingServersDoNotStallOthers) {
  std::vector<std::unique_ptr<TestServer>> hanging;
  for (int i = 0; i < 6; ++i) hanging.push_back(TestServer::Start());
  auto healthy = TestServer::Start();
  ASSERT_TRUE(healthy);
  for (auto& server : hanging) Watch(*server);
  std::string id = Watch(*healthy);
  for (auto& server : hanging) server->Pause();
  std::this_thread::sleep_for(1s);
  size_t before = samples_.CountOf(id);
  std::this_thread::sleep_for(5s);
  size_t polls = samples_.CountOf(id) - before;
  for (auto& server : hanging) server->Resume();
  EXPECT_GE(polls, 4u);
}

TEST_F(MonitorTest, CollectAnswersInTimeForAHangingServerWithWhatWasLastSeen) {
  auto server = TestServer::Start();
  ASSERT_TRUE(server);
  std::string id = Watch(*server);
  ASSERT_TRUE(samples_.WaitFor(Reachable));
  server->Pause();
  auto begin = std::chrono::steady_clock::now();
  auto snapshot = monitor_->Collect(id);
  auto took = std::chrono::steady_clock::now() - begin;
  server->Resume();
  ASSERT_TRUE(snapshot.ok());
  EXPECT_FALSE(snapshot->now.reachable);
  EXPECT_TRUE(snapshot->now.info.Has("used_memory"));
  EXPECT_TRUE(snapshot->not_seen.contains("INFO"));
  EXPECT_LT(took, 5s);
}

TEST(InstanceRecord, SealsSecretsAndComesBackWhole) {
  InstanceConfig config;
  config.id = "in_1";
  config.name = "orders";
  config.connect.password = "secret";
  config.connect.tls = resp::TlsOptions{"ca", "cert", "private", "name", true};
  config.interval_s = 7;
  auto seal = [](std::string_view clear) { return std::string(clear.rbegin(), clear.rend()); };
  auto unseal = [&](std::string_view sealed) -> base::Result<std::string> { return seal(sealed); };
  base::Json record = ToRecord(config, seal);
  std::string text = base::DumpJson(record);
  EXPECT_EQ(text.find("secret"), std::string::npos);
  EXPECT_EQ(text.find("private"), std::string::npos);
  auto back = FromRecord(record, unseal);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->connect, config.connect);
  EXPECT_EQ(back->interval_s, 7);
  auto lost_key = [](std::string_view) -> base::Result<std::string> { return base::DataLoss("another key"); };
  EXPECT_EQ(FromRecord(record, lost_key).status().code(), base::StatusCode::kDataLoss);
}

TEST(PollSchedule, KeepsThePaceOfEachJobAndNeverRunsOneTwiceAtOnce) {
  PollSchedule schedule(8);
  std::atomic<int> fast = 0, inside = 0, overlaps = 0;
  schedule.Add("fast", 0, [&] {
    ++fast;
    return 50;
  });
  schedule.Add("slow", 0, [&] {
    if (++inside > 1) ++overlaps;
    std::this_thread::sleep_for(200ms);
    --inside;
    return 10;
  });
  std::this_thread::sleep_for(1050ms);
  schedule.Remove("slow");
  int seen = inside;
  EXPECT_EQ(seen, 0);
  EXPECT_EQ(overlaps, 0);
  EXPECT_GE(fast, 12);
  EXPECT_LE(fast, 27);
  schedule.Stop();
}

TEST(PollSchedule, StartsThreadsWhileJobsHangUpToItsLimit) {
  PollSchedule schedule(6);
  std::atomic<bool> release = false;
  for (int i = 0; i < 20; ++i) {
    schedule.Add("job" + std::to_string(i), 0, [&] {
      while (!release) std::this_thread::sleep_for(5ms);
      return 60'000;
    });
  }
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(schedule.threads(), 6u);
  release = true;
}

}  // namespace
}  // namespace redoubt::monitor
