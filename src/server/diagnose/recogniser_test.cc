#include "server/diagnose/recogniser.h"

#include <gtest/gtest.h>

#include "server/diagnose/line_head.h"

namespace redoubt::diagnose {
namespace {

Line HeadOf(std::string_view text) {
  Line line;
  line.whole = text;
  ReadLineHead(line);
  return line;
}

TEST(LineHeadTest, ReadsServerLogsBehindEveryUsualPrefix) {
  for (
      const char* text : {
          "1:M 22 Jan 2019 18:40:10.203 # Background saving error",
          "[1249] 22 Jan 18:40:10.203 # Background saving error",
          "redis-1  | 1:M 22 Jan 2019 18:40:10.203 # Background saving error",
          "[pod/redis-0/redis] 1:M 22 Jan 2019 18:40:10.203 # Background saving error",
          "2019-01-22T18:40:10.203456789Z 1:M 22 Jan 2019 18:40:10.203 # Background saving error",
          "Jan 22 18:40:10 host redis-server[812]: 1:M 22 Jan 2019 18:40:10.203 # Background saving error",
          R"({"log":"1:M 22 Jan 2019 18:40:10.203 # Background saving error\n","stream":"stdout","time":"2019-01-22T18:40:10Z"})",
      }) {
    Line line = HeadOf(text);
    EXPECT_EQ(line.kind, LineKind::kServerLog) << text;
    EXPECT_EQ(line.body, "Background saving error") << text;
    EXPECT_GT(TimeOrder(line.at), 0) << text;
  }
  EXPECT_EQ(HeadOf("5:X 01 Mar 2024 01:00:00.000 # +tilt #tilt mode entered").role, 'X');
  EXPECT_EQ(IsoTime("22 Jan 2019 18:40:10.203"), "2019-01-22T18:40:10.203");
}

TEST(LineHeadTest, LeavesSentencesAlone) {
  EXPECT_EQ(HeadOf("it fails since yesterday").kind, LineKind::kProse);
  EXPECT_EQ(HeadOf("마스터가 죽었습니다").kind, LineKind::kProse);
  EXPECT_EQ(HeadOf("    at redis.parse (index.js:3)").kind, LineKind::kOtherLog);
  EXPECT_EQ(HeadOf("  \r").kind, LineKind::kBlank);
}

TEST(RecogniserTest, FindsFieldsInAPasteAndInASentence) {
  Recognised out = Recognise(
      "# Memory\r\nused_memory:1024\r\nmaxmemory_policy:noeviction\r\nerrorstat_OOM:count=7\r\n"
      "we saw mem_fragmentation_ratio:10.72, and maxmemory-policy allkeys-lru before");
  EXPECT_EQ(out.fields.Number("used_memory"), 1024);
  EXPECT_EQ(out.fields.Sub("errorstat_OOM", "count"), 7);
  EXPECT_EQ(out.fields.Number("mem_fragmentation_ratio"), 10.72);
  EXPECT_EQ(out.config.at("maxmemory-policy"), "allkeys-lru");
  EXPECT_EQ(out.field_lines.at("used_memory"), 2u);
}

TEST(RecogniserTest, ReadsSlowlogLatencyAndConfigReplies) {
  Recognised out = Recognise(
      "1) 1) (integer) 14\n   2) (integer) 1309448221\n   3) (integer) 150000\n   4) 1) \"KEYS\"\n      2) \"user:*\"\n"
      "   5) \"127.0.0.1:58217\"\n   6) \"worker\"\n2) 1) (integer) 13\n   2) (integer) 1309448128\n   3) (integer) "
      "30\n"
      "   4) 1) \"GET\"\n      2) \"a\"\n\n1) \"maxmemory\"\n2) \"0\"\n");
  ASSERT_EQ(out.slowlog.size(), 2u);
  EXPECT_EQ(out.slowlog[0].duration_us, 150000);
  EXPECT_EQ(out.slowlog[0].args, (std::vector<std::string>{"KEYS", "user:*"}));
  EXPECT_EQ(out.slowlog[0].client_name, "worker");
  EXPECT_EQ(out.config.at("maxmemory"), "0");
}

TEST(RecogniserTest, ReadsClientListAndClusterNodes) {
  Recognised out = Recognise(
      "id=3 addr=127.0.0.1:5000 laddr=127.0.0.1:6379 fd=8 name= age=100 idle=4000 flags=N omem=99 cmd=get\n"
      "07c37dfeb235213a872192d90877d0cd55635b91 127.0.0.1:30004@31004 slave,fail "
      "e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca 0 "
      "1426238317239 4 disconnected\n");
  ASSERT_EQ(out.clients.size(), 1u);
  EXPECT_EQ(out.clients[0].at("omem"), "99");
  ASSERT_EQ(out.nodes.size(), 1u);
  EXPECT_EQ(out.nodes[0].flags, "slave,fail");
  EXPECT_EQ(out.topology, "cluster");
}

TEST(RecogniserTest, ReadsCp949AndUndoesMisdecodedUtf8) {
  // "메모리 부족" in CP949.
  Recognised korean = Recognise("\xb8\xde\xb8\xf0\xb8\xae \xba\xce\xc1\xb7");
  EXPECT_EQ(*korean.text, "메모리 부족");
  EXPECT_EQ(korean.decoded_from, "CP949");
  // "복제 지연" as UTF-8 read as Windows-1252.
  Recognised undone = Recognise("\u00eb\u00b3\u00b5\u00ec\u00a0\u0153 \u00ec\u00a7\u20ac\u00ec\u2014\u00b0");
  EXPECT_EQ(*undone.text, "복제 지연");
  EXPECT_EQ(undone.decoded_from, "mis-decoded UTF-8");
  EXPECT_EQ(Recognise("plain text").decoded_from, "");
  EXPECT_EQ(Recognise("이미 UTF-8").decoded_from, "");
}

TEST(RecogniserTest, NamesVersionProviderAndRole) {
  Recognised out =
      Recognise("Redis 6.2.7 on AWS ElastiCache\n3:S 01 Jan 2024 00:00:00.000 * Connecting to MASTER a:1\n");
  EXPECT_EQ(out.version, "6.2.7");
  EXPECT_EQ(out.managed, "elasticache");
  EXPECT_EQ(out.role, "replica");
}

}  // namespace
}  // namespace redoubt::diagnose
