// The rules of the product, one by one: when they fire and when they do not.
#include "server/alert/alert_fixture.h"

namespace redoubt::alert {
namespace {

TEST_F(AlertTest, AHealthyServerIsQuiet) {
  EXPECT_TRUE(FeedFor(600).empty());
  EXPECT_TRUE(engine_->List("", true, 100).empty());
}

TEST_F(AlertTest, MemoryWarnsThenTurnsCriticalUnderOneId) {
  Feed();
  auto events = Feed("used_memory:84934656\n");  // 81 %
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].change, Change::kFiring);
  EXPECT_EQ(events[0].alert.rule, "memory_usage");
  EXPECT_EQ(events[0].alert.severity, Severity::kWarning);
  EXPECT_DOUBLE_EQ(events[0].alert.value, 81);
  EXPECT_EQ(events[0].alert.threshold, 80);
  EXPECT_THAT(events[0].alert.message.ko, testing::HasSubstr("81%"));
  EXPECT_THAT(events[0].alert.message.ko, testing::HasSubstr("80%"));
  EXPECT_THAT(events[0].alert.message.en, testing::HasSubstr("81%"));
  std::string id = events[0].alert.id;
  EXPECT_TRUE(Feed("used_memory:88080384\n").empty());  // 84 %: nothing new to say
  events = Feed("used_memory:99614720\n");              // 95 %
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].change, Change::kEscalated);
  EXPECT_EQ(events[0].alert.id, id);
  EXPECT_EQ(events[0].alert.severity, Severity::kCritical);
  // OOM errors have the same cause: the same alert, with one more finding.
  EXPECT_TRUE(Feed("used_memory:104857600\nerrorstat_OOM:count=150\n").empty());
  ASSERT_EQ(engine_->Firing("in_1").size(), 1u);
  EXPECT_EQ(engine_->Firing("in_1")[0].id, id);
  EXPECT_EQ(engine_->Firing("in_1")[0].findings.size(), 2u);
  EXPECT_EQ(SeverityOf("writes_refused_oom"), kCritical);
  // Freed: it resolves, and soon.
  events = FeedFor(30, "used_memory:10485760\nerrorstat_OOM:count=150\n");
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().change, Change::kResolved);
  EXPECT_EQ(events.back().alert.id, id);
  EXPECT_TRUE(engine_->Firing("in_1").empty());
  EXPECT_EQ(engine_->List("in_1", true, 10).size(), 1u);
}

TEST_F(AlertTest, MemoryHasHysteresis) {
  Feed("used_memory:84934656\n");                              // 81 %
  EXPECT_TRUE(FeedFor(60, "used_memory:80740352\n").empty());  // 77 %: above `clear`
  EXPECT_EQ(SeverityOf("memory_usage"), kWarning);
  FeedFor(20, "used_memory:76546048\n");  // 73 %
  EXPECT_EQ(SeverityOf("memory_usage"), std::nullopt);
}

TEST_F(AlertTest, MemoryLeavesOutWhatEvictionDoesNotCount) {
  Feed("used_memory:84934656\nmem_not_counted_for_evict:10485760\n");  // 81 % less 10
  EXPECT_FALSE(Firing("memory_usage"));
}

TEST_F(AlertTest, MemoryOfAnEvictingCacheDoesNotPage) {
  FeedFor(60, "used_memory:103809024\nmaxmemory_policy:allkeys-lru\n");
  EXPECT_FALSE(Firing("memory_usage"));
}

TEST_F(AlertTest, MemoryOfVolatilePolicyPagesOnlyWithFewExpiringKeys) {
  FeedFor(30, "used_memory:99614720\nmaxmemory_policy:volatile-lru\ndb0:keys=1000,expires=900\n");
  EXPECT_FALSE(Firing("memory_usage"));
  FeedFor(30, "used_memory:99614720\nmaxmemory_policy:volatile-lru\ndb0:keys=1000,expires=20\n");
  EXPECT_EQ(SeverityOf("memory_usage"), kCritical);
}

TEST_F(AlertTest, MemoryOfAReplicaOrWithoutLimitDoesNotPage) {
  FeedFor(30, "used_memory:99614720\nrole:slave\nmaster_link_status:up\n");
  EXPECT_FALSE(Firing("memory_usage"));
  FeedFor(30, "used_memory:99614720\nmaxmemory:0\n");
  EXPECT_FALSE(Firing("memory_usage"));
}

TEST_F(AlertTest, EvictionsPageWithAFallingHitRateOnly) {
  int evicted = 0;
  auto step = [&](double hit_rate) {
    evicted += 500;  // 100 a second
    Sample sample = Make("maxmemory_policy:allkeys-lru\nevicted_keys:" + std::to_string(evicted) + "\n");
    sample.hit_rate = hit_rate;
    return Feed(std::move(sample));
  };
  for (int i = 0; i < 120; ++i) step(95);
  EXPECT_FALSE(Firing("eviction_pressure"));
  for (int i = 0; i < 30; ++i) step(60);
  EXPECT_EQ(SeverityOf("eviction_pressure"), kWarning);
}

TEST_F(AlertTest, ClientsCountWithoutOursAndAsShareOfMaxclients) {
  Feed("connected_clients:1000\nmaxclients:100000\n");  // one is ours
  EXPECT_FALSE(Firing("connected_clients"));
  Feed("connected_clients:1001\nmaxclients:100000\n");
  EXPECT_EQ(SeverityOf("connected_clients"), kWarning);
  Feed("connected_clients:5001\nmaxclients:100000\n");
  EXPECT_EQ(SeverityOf("connected_clients"), kCritical);
  FeedFor(30);
  Feed("connected_clients:40\nmaxclients:50\n");
  EXPECT_EQ(SeverityOf("connected_clients"), kWarning);
  Feed("connected_clients:47\nmaxclients:50\n");
  EXPECT_EQ(SeverityOf("connected_clients"), kCritical);
  EXPECT_THAT(Firing("connected_clients")->message.en, testing::HasSubstr("94%"));
}

TEST_F(AlertTest, MaxclientsComesFromConfigWhereInfoLacksIt) {
  Sample sample = Without("maxclients", "connected_clients:46\n");
  sample.config = std::make_shared<monitor::ConfigValues>(monitor::ConfigValues{{"maxclients", "50"}});
  Feed(std::move(sample));
  EXPECT_EQ(SeverityOf("connected_clients"), kCritical);
}

TEST_F(AlertTest, RejectedConnectionsAreARateNotALifetime) {
  FeedFor(60, "rejected_connections:5000\n");
  EXPECT_FALSE(Firing("rejected_connections"));
  Feed("rejected_connections:5001\n");
  EXPECT_EQ(SeverityOf("rejected_connections"), kWarning);
  Feed("rejected_connections:5010\n");
  EXPECT_EQ(SeverityOf("rejected_connections"), kCritical);
  FeedFor(90, "rejected_connections:5010\n");  // sixty quiet seconds
  EXPECT_FALSE(Firing("rejected_connections"));
}

TEST_F(AlertTest, ACounterThatARestartResetIsNoIncrease) {
  FeedFor(20, "rejected_connections:5000\n");
  FeedFor(20, "rejected_connections:0\n");
  EXPECT_FALSE(Firing("rejected_connections"));
}

TEST_F(AlertTest, BlockedClientsPageOnlyWhenNothingCompletes) {
  int calls = 0;
  for (int i = 0; i < 40; ++i) {
    calls += 3;  // workers at work
    Feed("blocked_clients:80\ncmdstat_blpop:calls=" + std::to_string(calls) + "\n");
  }
  EXPECT_FALSE(Firing("blocked_clients"));
  FeedFor(200, "blocked_clients:80\ncmdstat_blpop:calls=200\n");
  EXPECT_EQ(SeverityOf("blocked_clients"), kWarning);
}

TEST_F(AlertTest, FailedSavesAreCriticalAtOnce) {
  Feed("rdb_last_bgsave_status:err\n");
  EXPECT_EQ(SeverityOf("rdb_save_failed"), kCritical);
  EXPECT_EQ(Firing("rdb_save_failed")->group, "persistence");
  auto events = FeedFor(10);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().change, Change::kResolved);
}

TEST_F(AlertTest, AofFailuresCountOnlyWhereTheAofIsOn) {
  FeedFor(20, "aof_last_bgrewrite_status:err\naof_last_write_status:err\n");
  EXPECT_FALSE(Firing("aof_rewrite_failed"));
  Feed("aof_enabled:1\naof_last_bgrewrite_status:err\naof_last_write_status:err\n");
  EXPECT_EQ(SeverityOf("aof_rewrite_failed"), kCritical);
  EXPECT_EQ(SeverityOf("aof_write_failed"), kCritical);
  EXPECT_EQ(engine_->Firing("in_1").size(), 1u);  // one cause
}

TEST_F(AlertTest, MisconfJoinsThePersistenceAlert) {
  Feed("rdb_last_bgsave_status:err\n");
  std::string id = Firing("rdb_save_failed")->id;
  Feed("rdb_last_bgsave_status:err\nerrorstat_MISCONF:count=3\n");
  EXPECT_EQ(SeverityOf("writes_refused_misconf"), kCritical);
  EXPECT_EQ(Firing("writes_refused_misconf")->id, id);
  EXPECT_EQ(Firing("writes_refused_misconf")->rule, "rdb_save_failed");  // an alert keeps its name
}

TEST_F(AlertTest, WritesRefusedAreNewErrorsWithin60Seconds) {
  FeedFor(30, "errorstat_NOREPLICAS:count=900\nerrorstat_CLUSTERDOWN:count=4\n");
  EXPECT_FALSE(Firing("writes_refused_noreplicas"));
  Feed("errorstat_NOREPLICAS:count=901\nerrorstat_CLUSTERDOWN:count=5\n");
  EXPECT_EQ(SeverityOf("writes_refused_noreplicas"), kCritical);
  EXPECT_EQ(SeverityOf("writes_refused_clusterdown"), kCritical);
  FeedFor(90, "errorstat_NOREPLICAS:count=901\nerrorstat_CLUSTERDOWN:count=5\n");
  EXPECT_FALSE(Firing("writes_refused_noreplicas"));
}

TEST_F(AlertTest, LinkDownWaits30SecondsAndLongerDuringASync) {
  constexpr std::string_view kDown = "role:slave\nmaster_link_status:down\nmaster_sync_in_progress:0\n";
  constexpr std::string_view kSyncing = "role:slave\nmaster_link_status:down\nmaster_sync_in_progress:1\n";
  FeedFor(30, kDown);
  EXPECT_FALSE(Firing("replication_link_down"));
  FeedFor(10, kDown);
  EXPECT_EQ(SeverityOf("replication_link_down"), kCritical);
  FeedFor(20, "role:slave\nmaster_link_status:up\nmaster_sync_in_progress:0\n");
  EXPECT_FALSE(Firing("replication_link_down"));
  FeedFor(300, kSyncing);
  EXPECT_FALSE(Firing("replication_link_down"));
  FeedFor(310, kSyncing);
  EXPECT_EQ(SeverityOf("replication_link_down"), kCritical);
}

TEST_F(AlertTest, ReplicaLagBySecondsByGrowthAndByBacklog) {
  Feed("slave0:ip=10.0.0.1,port=6379,state=online,offset=990,lag=12\nconnected_slaves:1\n");
  EXPECT_EQ(SeverityOf("replica_lag"), kWarning);
  Feed("slave0:ip=10.0.0.1,port=6379,state=online,offset=990,lag=61\nconnected_slaves:1\n");
  EXPECT_EQ(SeverityOf("replica_lag"), kCritical);
  FeedFor(30, "slave0:ip=10.0.0.1,port=6379,state=online,offset=990,lag=0\nconnected_slaves:1\n");
  EXPECT_FALSE(Firing("replica_lag"));
  FeedFor(20,
          "slave0:ip=1,port=1,state=online,offset=0,lag=1\nmaster_repl_offset:943718\nconnected_slaves:1\n");  // 90 %
  EXPECT_EQ(SeverityOf("replica_lag"), kCritical);
  EXPECT_EQ(Firing("replica_lag")->metric, "replica_gap_percent_of_backlog");
}

TEST_F(AlertTest, ReplicaLagWarnsWhenTheGapGrowsForThreeMinutes) {
  for (int i = 0; i < 30; ++i) {
    Feed(
        "repl_backlog_size:1048576000\nslave0:ip=1,port=1,state=online,offset=0,lag=1\nconnected_slaves:1\n"
        "master_repl_offset:" +
        std::to_string(1'000'000 + i * 100'000) + "\n");
  }
  EXPECT_FALSE(Firing("replica_lag"));  // not yet three minutes
  for (int i = 30; i < 50; ++i) {
    Feed(
        "repl_backlog_size:1048576000\nslave0:ip=1,port=1,state=online,offset=0,lag=1\nconnected_slaves:1\n"
        "master_repl_offset:" +
        std::to_string(1'000'000 + i * 100'000) + "\n");
  }
  EXPECT_EQ(SeverityOf("replica_lag"), kWarning);
}

TEST_F(AlertTest, LostReplicasWarnAndAllLostIsCritical) {
  FeedFor(30, "connected_slaves:2\n");
  EXPECT_FALSE(Firing("replicas_lost"));
  Feed("connected_slaves:1\n");
  EXPECT_EQ(SeverityOf("replicas_lost"), kWarning);
  Feed("connected_slaves:0\n");
  EXPECT_EQ(SeverityOf("replicas_lost"), kCritical);
  FeedFor(700, "connected_slaves:0\n");  // ten minutes later it is the new normal
  EXPECT_FALSE(Firing("replicas_lost"));
}

TEST_F(AlertTest, FullSyncsPageWhenTheyRepeat) {
  Feed("sync_full:1\n");
  Feed("sync_full:2\n");
  EXPECT_FALSE(Firing("full_resyncs"));
  Feed("sync_full:3\n");
  EXPECT_EQ(SeverityOf("full_resyncs"), kWarning);
  Feed("sync_full:5\n");
  EXPECT_EQ(SeverityOf("full_resyncs"), kCritical);
}

TEST_F(AlertTest, FragmentationPrefersTheAllocatorNeedsBytesAndWaitsOutForks) {
  const std::string big = "used_memory:209715200\nmaxmemory:0\n";
  FeedFor(300, big + "mem_fragmentation_ratio:3.0\nallocator_frag_ratio:1.1\nallocator_frag_bytes:104857600\n");
  EXPECT_FALSE(Firing("fragmentation"));
  FeedFor(300, big + "allocator_frag_ratio:1.8\nallocator_frag_bytes:1048576\n");  // a ratio of nothing much
  EXPECT_FALSE(Firing("fragmentation"));
  FeedFor(300, big + "allocator_frag_ratio:1.8\nallocator_frag_bytes:104857600\nrdb_bgsave_in_progress:1\n");
  EXPECT_FALSE(Firing("fragmentation"));
  FeedFor(300, "maxmemory:0\nallocator_frag_ratio:1.8\nallocator_frag_bytes:104857600\n");  // 10 MB of data
  EXPECT_FALSE(Firing("fragmentation"));
  FeedFor(300, big + "allocator_frag_ratio:1.8\nallocator_frag_bytes:104857600\n");
  EXPECT_EQ(SeverityOf("fragmentation"), kWarning);
}

TEST_F(AlertTest, UnreachableWarnsAtOncePollAndIsCriticalAfterThree) {
  Feed();
  Feed(Away(ProbeFailure::kRefused));
  EXPECT_EQ(SeverityOf("server_unreachable"), kWarning);
  Feed(Away(ProbeFailure::kRefused));
  EXPECT_EQ(SeverityOf("server_unreachable"), kWarning);
  Feed(Away(ProbeFailure::kRefused));
  EXPECT_EQ(SeverityOf("server_unreachable"), kCritical);
  FeedFor(20);
  EXPECT_FALSE(Firing("server_unreachable"));
}

TEST_F(AlertTest, UnreachableFor15SecondsIsCriticalAtSlowPollsToo) {
  Feed();
  Feed(Away(ProbeFailure::kRefused));
  clock_.AdvanceMillis(15'000);
  Feed(Away(ProbeFailure::kRefused));  // only the second poll
  EXPECT_EQ(SeverityOf("server_unreachable"), kCritical);
}

TEST_F(AlertTest, APingOverASecondCountsAsUnreachable) {
  Sample slow = Make();
  slow.ping_us = 1'500'000;
  Feed(slow);
  EXPECT_EQ(SeverityOf("server_unreachable"), kWarning);
}

TEST_F(AlertTest, ProbeTimeoutsWarnAtOneAndAreCriticalAtThree) {
  Feed(Away(ProbeFailure::kTimeout));
  FeedFor(10);
  EXPECT_EQ(SeverityOf("probe_timeouts"), kWarning);
  Feed(Away(ProbeFailure::kTimeout));
  FeedFor(10);
  Feed(Away(ProbeFailure::kTimeout));
  EXPECT_EQ(SeverityOf("probe_timeouts"), kCritical);
  FeedFor(90);
  EXPECT_FALSE(Firing("probe_timeouts"));
}

TEST_F(AlertTest, RestartAndRoleChangeShowForTenMinutes) {
  Sample restarted = Make();
  restarted.restarted = true;
  Feed(restarted);
  EXPECT_EQ(SeverityOf("restarted"), kWarning);
  FeedFor(300);
  EXPECT_EQ(SeverityOf("restarted"), kWarning);
  FeedFor(320);
  EXPECT_FALSE(Firing("restarted"));
  Sample changed = Make();
  changed.role_changed = true;
  Feed(changed);
  EXPECT_EQ(SeverityOf("role_changed"), kWarning);
}

TEST_F(AlertTest, AnEmptyDataSetAfterARestartIsCriticalUntilKeysAreBack) {
  Sample lost = Make("db0:keys=0,expires=0\n");
  lost.restarted = lost.data_lost = true;
  Feed(lost);
  EXPECT_EQ(SeverityOf("data_lost_after_restart"), kCritical);
  EXPECT_EQ(engine_->Firing("in_1").size(), 1u);
  Feed("db0:keys=1000,expires=0\n");
  EXPECT_EQ(SeverityOf("data_lost_after_restart"), std::nullopt);
  EXPECT_EQ(SeverityOf("restarted"), kWarning);  // lowered, not gone
}

TEST_F(AlertTest, LoadingWarnsAfterAMinuteAndIsCriticalAfterTen) {
  FeedFor(60, "loading:1\n");
  EXPECT_FALSE(Firing("loading"));
  FeedFor(10, "loading:1\n");
  EXPECT_EQ(SeverityOf("loading"), kWarning);
  FeedFor(540, "loading:1\n");
  EXPECT_EQ(SeverityOf("loading"), kCritical);
  Feed();
  Feed();
  EXPECT_FALSE(Firing("loading"));
}

TEST_F(AlertTest, PingLatencyIsTheP99OfAMinute) {
  Sample slow = Make();
  slow.ping_us = 80'000;
  for (int i = 0; i < 5; ++i) Feed(slow);
  EXPECT_EQ(SeverityOf("ping_latency"), kWarning);
  slow.ping_us = 700'000;
  for (int i = 0; i < 5; ++i) Feed(slow);
  EXPECT_EQ(SeverityOf("ping_latency"), kCritical);
  FeedFor(90);
  EXPECT_FALSE(Firing("ping_latency"));
}

TEST_F(AlertTest, SlowCommandsPageAtTenNewEntriesAMinute) {
  Sample slow = Make();
  slow.new_slowlog.resize(4);
  Feed(slow);
  Feed(slow);
  EXPECT_FALSE(Firing("slow_commands"));
  Feed(slow);
  EXPECT_EQ(SeverityOf("slow_commands"), kWarning);
}

TEST_F(AlertTest, AnOverdueSaveIsJudgedByTheServersOwnPolicy) {
  auto overdue = [&](const char* save, int age_s, int changes) {
    Sample sample = Make("rdb_changes_since_last_save:" + std::to_string(changes) +
                         "\nrdb_last_save_time:" + std::to_string(clock_.WallMillis() / 1000 - age_s) + "\n");
    sample.config = std::make_shared<monitor::ConfigValues>(monitor::ConfigValues{{"save", save}});
    return sample;
  };
  auto feed = [&](const char* save, int age_s, int changes) {
    for (int i = 0; i < 20; ++i) Feed(overdue(save, age_s, changes));
  };
  feed("3600 1 300 100 60 10000", 5000, 5);  // 3600 s applies: not yet twice
  EXPECT_FALSE(Firing("save_overdue"));
  feed("3600 1 300 100 60 10000", 5000, 500);  // 300 s applies
  EXPECT_EQ(SeverityOf("save_overdue"), kWarning);
  feed("3600 1", 200'000, 5);
  EXPECT_EQ(SeverityOf("save_overdue"), kCritical);
  feed("3600 1", 200'000, 0);  // nothing to save
  EXPECT_FALSE(Firing("save_overdue"));
  feed("", 200'000, 500);  // saving is off
  EXPECT_FALSE(Firing("save_overdue"));
}

}  // namespace
}  // namespace redoubt::alert
