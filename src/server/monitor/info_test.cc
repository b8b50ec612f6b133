#include "server/monitor/info.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/json.h"
#include "server/monitor/replies.h"
#include "server/monitor/sample.h"
#include "server/monitor/slowlog_cursor.h"
#include "server/monitor/tracker.h"

namespace redoubt::monitor {
namespace {

constexpr std::string_view kInfo =
    "# Server\r\nredis_version:7.0.15\r\nrun_id:aaa\r\nuptime_in_seconds:100\r\n\r\n"
    "# Memory\r\nused_memory:52428800\r\nused_memory_human:50.00M\r\nmaxmemory:104857600\r\n"
    "mem_not_counted_for_evict:2097152\r\nused_memory_dataset_perc:12.50%\r\nmem_fragmentation_ratio:-nan\r\n"
    "# Stats\r\nkeyspace_hits:30\r\nkeyspace_misses:10\r\n"
    "# Replication\r\nrole:master\r\nslave0:ip=10.0.0.1,port=6379,state=online,offset=100,lag=1\r\n"
    "# Commandstats\r\ncmdstat_client|setname:calls=3,usec=12,usec_per_call=4.00,rejected_calls=0,failed_calls=0\r\n"
    "# Errorstats\r\nerrorstat_OOM:count=7\r\n"
    "# Keyspace\r\ndb0:keys=5,expires=1,avg_ttl=0\r\ndb3:keys=2,expires=0,avg_ttl=0\r\n";

TEST(InfoFields, ReadsNumbersTextsAndParts) {
  InfoFields info = InfoFields::Parse(kInfo);
  EXPECT_EQ(info.Number("used_memory"), 52428800);
  EXPECT_EQ(info.Text("used_memory_human"), "50.00M");
  EXPECT_EQ(info.Number("used_memory_human"), std::nullopt);
  EXPECT_EQ(info.Number("used_memory_dataset_perc"), 12.5);
  EXPECT_EQ(info.Sub("errorstat_OOM", "count"), 7);
  EXPECT_EQ(info.Sub("cmdstat_client|setname", "usec_per_call"), 4);
  EXPECT_EQ(info.SubText("slave0", "state"), "online");
  EXPECT_EQ(info.Sub("slave0", "absent"), std::nullopt);
}

TEST(InfoFields, AbsentIsNotZero) {
  InfoFields info = InfoFields::Parse(kInfo);
  EXPECT_FALSE(info.Has("rejected_connections"));
  EXPECT_EQ(info.Number("rejected_connections"), std::nullopt);
  EXPECT_EQ(info.Number("mem_fragmentation_ratio"), std::nullopt);  // -nan
}

TEST(InfoFields, KeepsOrderSectionsAndTheFirstOfRepeatedNames) {
  InfoFields info = InfoFields::Parse("# A\nx:1\ny:2\n# B\nx:3\nz:4\n");
  ASSERT_EQ(info.size(), 3u);
  EXPECT_EQ(info.at(0).name, "x");
  EXPECT_EQ(info.at(0).section, "A");
  EXPECT_EQ(info.at(2).name, "z");
  EXPECT_EQ(info.at(2).section, "B");
  EXPECT_EQ(info.Text("x"), "1");
}

TEST(InfoFields, ListsFieldsBelowAHeadingWithoutAName) {
  InfoFields info = InfoFields::Parse("# A\nx:1\n#\ny:2\n# \t\r\nz:3\n");
  ASSERT_EQ(info.size(), 3u);
  EXPECT_EQ(info.at(1).name, "y");
  EXPECT_EQ(info.at(1).section, "");
  EXPECT_EQ(info.at(2).section, "");
}

TEST(InfoFields, SetAddsAndReplacesEvenWithItsOwnViews) {
  InfoFields info = InfoFields::Parse("a:1\nb:2\n");
  info.Set("a", *info.Text("b"));
  info.Set("c", "3");
  InfoFields copy = info;
  info.Set("a", "9");
  EXPECT_EQ(copy.Text("a"), "2");
  EXPECT_EQ(copy.Text("c"), "3");
  EXPECT_EQ(info.Text("a"), "9");
  EXPECT_EQ(info.size(), 3u);
}

TEST(InfoFields, SkipsWhatIsNoField) {
  InfoFields info = InfoFields::Parse("hello world\n:5\na b:1\nhttp://x\n\xff\xfe:1\nok:1\n");
  EXPECT_EQ(info.size(), 2u);  // "http" looks like one
  EXPECT_EQ(info.Number("ok"), 1);
}

TEST(InfoFields, BoundsTheNumberOfFields) {
  std::string text;
  for (size_t i = 0; i < InfoFields::kMaxFields + 50; ++i) text += "f" + std::to_string(i) + ":1\n";
  EXPECT_EQ(InfoFields::Parse(text).size(), InfoFields::kMaxFields);
}

TEST(Metrics, ComputesMemoryPercentWithoutWhatEvictionDoesNotCount) {
  InfoFields info = InfoFields::Parse(kInfo);
  EXPECT_DOUBLE_EQ(*MemoryUsagePercent(info), 48.0);
  info.Set("maxmemory", "0");
  EXPECT_EQ(MemoryUsagePercent(info), std::nullopt);
}

TEST(Metrics, HasEveryNameOfTheInterfaceAndNullForTheUnseen) {
  Sample sample;
  sample.reachable = true;
  sample.own_connections = 1;
  sample.info = InfoFields::Parse(kInfo);
  sample.info.Set("connected_clients", "3");
  base::Json metrics = MetricsOf(sample);
  for (const char* name : {"used_memory",
                           "used_memory_human",
                           "maxmemory",
                           "maxmemory_human",
                           "memory_usage_percent",
                           "mem_fragmentation_ratio",
                           "evicted_keys",
                           "connected_clients",
                           "blocked_clients",
                           "rejected_connections",
                           "instantaneous_ops_per_sec",
                           "keyspace_hits",
                           "keyspace_misses",
                           "hit_rate",
                           "rdb_last_bgsave_status",
                           "aof_last_bgrewrite_status",
                           "role",
                           "connected_slaves",
                           "master_link_status",
                           "redis_version",
                           "uptime_in_seconds",
                           "cluster_enabled"}) {
    EXPECT_TRUE(metrics.contains(name)) << name;
  }
  EXPECT_EQ(metrics["connected_clients"], 2);  // ours left out
  EXPECT_TRUE(metrics["rejected_connections"].is_null());
  EXPECT_EQ(metrics["keys"], 7);
}

Sample SampleOf(std::string_view extra) {
  Sample sample;
  sample.reachable = true;
  sample.info = InfoFields::Parse(kInfo);
  InfoFields changes = InfoFields::Parse(extra);
  for (InfoFields::Field field : changes) sample.info.Set(field.name, field.value);
  return sample;
}

TEST(SampleTracker, NoticesARestartAndALostDataSet) {
  SampleTracker tracker;
  Sample first = SampleOf("");
  tracker.Track(first);
  EXPECT_FALSE(first.restarted);
  Sample second = SampleOf("run_id:bbb\nuptime_in_seconds:1\nloading:1\ndb0:keys=0\ndb3:keys=0\n");
  tracker.Track(second);
  EXPECT_TRUE(second.restarted);
  EXPECT_FALSE(second.data_lost);  // still loading: too early to say
  Sample third = SampleOf("run_id:bbb\nuptime_in_seconds:3\nloading:0\ndb0:keys=0\ndb3:keys=0\n");
  tracker.Track(third);
  EXPECT_FALSE(third.restarted);
  EXPECT_TRUE(third.data_lost);
}

TEST(SampleTracker, AReloadedDataSetIsNotLost) {
  SampleTracker tracker;
  Sample first = SampleOf("");
  tracker.Track(first);
  Sample second = SampleOf("run_id:bbb\nuptime_in_seconds:1\n");
  tracker.Track(second);
  EXPECT_TRUE(second.restarted);
  EXPECT_FALSE(second.data_lost);
}

TEST(SampleTracker, NoticesARoleChange) {
  SampleTracker tracker;
  Sample first = SampleOf(""), second = SampleOf("role:slave\n");
  tracker.Track(first);
  tracker.Track(second);
  EXPECT_TRUE(second.role_changed);
  EXPECT_FALSE(second.restarted);
}

TEST(SampleTracker, HitRateIsOfTheIntervalNotOfTheLifetime) {
  SampleTracker tracker;
  Sample first = SampleOf(""), second = SampleOf("keyspace_hits:31\nkeyspace_misses:13\n"), third = second;
  tracker.Track(first);
  EXPECT_EQ(first.hit_rate, 75);
  tracker.Track(second);
  EXPECT_EQ(second.hit_rate, 25);
  tracker.Track(third);
  EXPECT_EQ(third.hit_rate, std::nullopt);  // no lookups in between
}

TEST(Replies, ReadsClientListRows) {
  auto rows = ReadClientList("id=3 addr=127.0.0.1:5 name= omem=20\nid=4 addr=[::1]:6 name=a=b\n\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["omem"], "20");
  EXPECT_EQ(rows[0]["name"], "");
  EXPECT_EQ(rows[1]["name"], "a=b");
}

TEST(Replies, ReadsSlowlogRowsWithAnyNumbers) {
  using resp::Reply;
  Reply row = Reply::Array({Reply::Integer(7), Reply::Integer(std::numeric_limits<int64_t>::max()), Reply::Integer(9),
                            Reply::Array({Reply::String("KEYS"), Reply::String("*")})});
  std::vector<SlowlogEntry> entries = ReadSlowlog(Reply::Array({row, Reply::Array({}), Reply::Integer(1)}));
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].id, 7);
  EXPECT_GT(entries[0].at_ms, 0);
  EXPECT_EQ(entries[0].args[1], "*");
}

TEST(Replies, BoundsSlowlogIdsThatNoServerReaches) {
  using resp::Reply;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  auto row = [](int64_t id) {
    return Reply::Array({Reply::Integer(id), Reply::Integer(1), Reply::Integer(9), Reply::Array({})});
  };
  std::vector<SlowlogEntry> entries = ReadSlowlog(Reply::Array({row(kMost), row(-kMost)}));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].id, int64_t{1} << 53);
  EXPECT_EQ(entries[1].id, 0);
  SlowlogCursor cursor;
  EXPECT_EQ(cursor.CountToAsk(-1), 0);
  EXPECT_EQ(cursor.CountToAsk(entries[0].id), SlowlogCursor::kDepth);
}

// A server's slowlog: ids count up, answers are the newest first.
class Slowlog {
 public:
  void Add(int count) { newest_ += count; }
  int64_t newest() const { return newest_; }
  std::vector<SlowlogEntry> Get(int64_t count) const {
    std::vector<SlowlogEntry> entries;
    for (int64_t id = newest_; id > newest_ - count && id >= 0; --id) entries.emplace_back().id = id;
    return entries;
  }

 private:
  int64_t newest_ = -1;
};

TEST(SlowlogCursorTest, GivesEachEntryOnceAlsoThoseThatComeBetweenTheQuestions) {
  Slowlog server;
  SlowlogCursor cursor;
  server.Add(3);  // before we watched
  EXPECT_EQ(cursor.CountToAsk(server.newest()), 0);
  server.Add(2);
  int64_t count = cursor.CountToAsk(server.newest());
  server.Add(1);
  std::vector<SlowlogEntry> entries = cursor.TakeNew(server.Get(count));
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries.front().id, 5);
  EXPECT_EQ(entries.back().id, 3);
  EXPECT_EQ(cursor.CountToAsk(server.newest()), 0);
  server.Add(1);
  EXPECT_EQ(cursor.TakeNew(server.Get(cursor.CountToAsk(server.newest()))).size(), 1u);
}

TEST(SlowlogCursorTest, StartsAnewWithARestartedServerAndAsksForNoMoreThanItsDepth) {
  Slowlog server;
  SlowlogCursor cursor;
  server.Add(1000);
  cursor.CountToAsk(server.newest());
  server.Add(1000);
  EXPECT_EQ(cursor.CountToAsk(server.newest()), SlowlogCursor::kDepth);
  Slowlog restarted;
  EXPECT_EQ(cursor.CountToAsk(restarted.newest()), 0);
  restarted.Add(2);
  EXPECT_EQ(cursor.TakeNew(restarted.Get(cursor.CountToAsk(restarted.newest()))).size(), 2u);
}

}  // namespace
}  // namespace redoubt::monitor
