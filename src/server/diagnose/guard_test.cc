#include "server/diagnose/guard.h"

#include <gtest/gtest.h>

#include "server/kb/knowledge_base.h"

namespace redoubt::diagnose {
namespace {

using Kind = Verdict::Kind;

class GuardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto guard = Guard::Load(REDOUBT_KNOWLEDGE "/guard.json");
    ASSERT_TRUE(guard.ok()) << guard.status().message();
    guard_ = *guard;
  }
  Kind Check(const std::string& command, const GuardContext& context = {}) {
    return guard_.Check(command, context).kind;
  }

  Guard guard_;
};

TEST_F(GuardTest, NeverOffersWhatDestroysOrStopsAServer) {
  for (const char* command :
       {"FLUSHALL", "flushall async", "redis-cli -h 10.0.0.1 -p 6379 FLUSHDB", "KEYS *", "redis-cli keys 'user:*'",
        "redis-cli --raw KEYS 'a*' | xargs redis-cli DEL", "SHUTDOWN NOSAVE", "DEBUG SLEEP 10",
        "redis-cli debug segfault", "CLUSTER RESET HARD", "SWAPDB 0 1", "rm /var/lib/redis/dump.rdb",
        "rm -f appendonlydir/appendonly.aof.1.incr.aof", "rm nodes.conf && systemctl restart redis", "> /data/dump.rdb",
        "rm -rf /var/lib/redis", "EVAL \"return redis.call('KEYS','*')\" 0", "EVAL \"redis.call('FLUSHALL')\" 0"}) {
    EXPECT_EQ(Check(command), Kind::kNever) << command;
  }
}

TEST_F(GuardTest, AsksForThePreconditionWhereDataMayBeLost) {
  for (const char* command :
       {"CONFIG SET stop-writes-on-bgsave-error no", "CONFIG SET maxmemory-policy allkeys-lru",
        "CONFIG SET appendonly yes", "redis-check-aof --fix appendonly.aof", "redis-check-rdb dump.rdb",
        "systemctl restart redis-server", "docker restart redis", "kubectl delete pod redis-0", "SHUTDOWN SAVE",
        "redis-cli --cluster fix 10.0.0.1:7000", "CLUSTER ADDSLOTS 1 2 3", "CLUSTER FAILOVER TAKEOVER",
        "SENTINEL RESET *", "REPLICAOF NO ONE", "SLAVEOF NO ONE", "CONFIG SET no-appendfsync-on-rewrite yes",
        "SCRIPT KILL", "CLIENT KILL ID 7"}) {
    Verdict verdict = guard_.Check(command, {});
    EXPECT_EQ(verdict.kind, Kind::kDataLoss) << command;
    EXPECT_FALSE(verdict.precondition.ko.empty() || verdict.precondition.en.empty()) << command;
  }
}

TEST_F(GuardTest, LetsPlainWorkThrough) {
  for (const char* command :
       {"INFO memory", "redis-cli --bigkeys", "SCAN 0 MATCH a:* COUNT 500", "CONFIG SET maxmemory 2gb",
        "MEMORY USAGE key", "CLUSTER COUNTKEYSINSLOT 7", "CLUSTER KEYSLOT key", "ACL SETUSER app -keys -flushall",
        "rename-command FLUSHALL \"\"", "CONFIG SET maxmemory-policy noeviction", "CLUSTER FAILOVER",
        "REPLICAOF 10.0.0.1 6379", "UNLINK key", "CONFIG SET loglevel debug", "cp -a dump.rdb dump.rdb.bak",
        "ls -l nodes.conf"}) {
    EXPECT_EQ(Check(command), Kind::kOffer) << command;
  }
}

TEST_F(GuardTest, ARemarkNeitherHidesNorTriggersARule) {
  EXPECT_EQ(Check("INFO memory  # never FLUSHALL"), Kind::kOffer);
  EXPECT_EQ(Check("FLUSHALL  # only if sure"), Kind::kNever);
}

TEST_F(GuardTest, KnowsWhatAVersionOrProviderRefuses) {
  EXPECT_EQ(Check("CONFIG SET dir /data", {"7.0.15", ""}), Kind::kRefused);
  EXPECT_EQ(Check("CONFIG SET dir /data", {"6.2.1", ""}), Kind::kOffer);
  Verdict managed = guard_.Check("CONFIG SET maxmemory-policy noeviction", {"7.1", "elasticache"});
  EXPECT_EQ(managed.kind, Kind::kRefused);
  EXPECT_NE(managed.instead.en.find("ElastiCache parameter group: maxmemory-policy noeviction"), std::string::npos)
      << managed.instead.en;
  EXPECT_EQ(Check("sysctl -w vm.overcommit_memory=1", {"", "azure"}), Kind::kRefused);
  EXPECT_EQ(Check("INFO memory", {"7.1", "elasticache"}), Kind::kOffer);
}

TEST_F(GuardTest, EveryCommandOfEveryEntryPassesInBothLanguages) {
  auto knowledge = kb::KnowledgeBase::Open({REDOUBT_KNOWLEDGE, nullptr, {}, {}});
  ASSERT_TRUE(knowledge.ok());
  ASSERT_EQ((*knowledge)->report().files_failed, 0u) << (*knowledge)->report().lines.back();
  size_t commands = 0;
  for (const auto& entry : (*knowledge)->List()) {
    for (const kb::Action& action : entry->actions) {
      for (base::Lang lang : {base::Lang::kKo, base::Lang::kEn}) {
        const std::string& cmd = action.cmd.In(lang);
        Verdict verdict = guard_.Check(cmd, {});
        ++commands;
        EXPECT_NE(verdict.kind, Kind::kNever) << entry->id << ": " << cmd;
        if (verdict.kind == Kind::kDataLoss) {
          EXPECT_EQ(action.risk, "data-loss") << entry->id << ": " << cmd;
          EXPECT_NE(cmd.find('#'), std::string::npos) << entry->id << ": no precondition in the line: " << cmd;
        }
        EXPECT_NE(guard_.Check(action.undo.In(lang), {}).kind, Kind::kNever)
            << entry->id << ": " << action.undo.In(lang);
        for (const std::string* text : {&action.why.In(lang), &action.check_first.In(lang)}) {
          EXPECT_NE(guard_.CheckText(*text, {}).kind, Kind::kNever) << entry->id << ": " << *text;
        }
      }
    }
    for (const auto* list : {&entry->solutions, &entry->diagnosis_steps, &entry->prevention}) {
      for (const base::LocalText& text : *list) {
        for (base::Lang lang : {base::Lang::kKo, base::Lang::kEn}) {
          Kind kind = guard_.CheckText(text.In(lang), {}).kind;
          EXPECT_TRUE(kind == Kind::kOffer) << entry->id << ": " << text.In(lang);
        }
      }
    }
    for (const kb::FailureMode& mode : entry->failure_modes) {
      EXPECT_EQ(guard_.Check(mode.next_check, {}).kind == Kind::kNever, false) << mode.next_check;
      for (base::Lang lang : {base::Lang::kKo, base::Lang::kEn}) {
        EXPECT_EQ(guard_.CheckText(mode.first_action.In(lang), {}).kind, Kind::kOffer) << mode.first_action.In(lang);
      }
    }
  }
  EXPECT_GT(commands, 300u);
}

TEST_F(GuardTest, AFaultyTableIsRefusedWithItsPlace) {
  EXPECT_NE(Guard::FromText(R"({"never": [{"id": "x", "pattern": "(", "why": {"ko": "a", "en": "b"}}]})")
                .status()
                .message()
                .find("never: x"),
            std::string::npos);
  EXPECT_FALSE(Guard::FromText("[]").ok());
}

}  // namespace
}  // namespace redoubt::diagnose
