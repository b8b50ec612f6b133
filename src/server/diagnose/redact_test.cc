#include "server/diagnose/redact.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace redoubt::diagnose {
namespace {

// Every secret of the texts below is made of these words; none may be left, not even in part.
const std::vector<std::string> kSecretParts = {"hunter",  "s3cr", "Passw0rd", "0d1e2a3d", "1234-5678",
                                               "1234567", "kim@", "AKIA",     "bearer-of"};
const std::string kHash = "#0d1e2a3d0d1e2a3d0d1e2a3d0d1e2a3d0d1e2a3d0d1e2a3d0d1e2a3d0d1e2a3d";

std::string LeftOf(const std::string& text) {
  std::string out = Redact("one\n" + text + "\nthree");
  EXPECT_NE(out.find("<redacted:"), std::string::npos) << out;
  EXPECT_TRUE(out.starts_with("one\n") && out.ends_with("\nthree")) << out;
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), std::count(text.begin(), text.end(), '\n') + 2) << out;
  return out;
}

void ExpectNoSecret(const std::string& text) {
  std::string out = LeftOf(text);
  for (const std::string& part : kSecretParts) EXPECT_EQ(out.find(part), std::string::npos) << text << "\n->\n" << out;
}

TEST(RedactTest, TakesSecretsOutAndKeepsLines) {
  for (const char* text : {
           "redis://app:s3cr3t@10.0.0.1:6379/0",
           "AUTH default Passw0rd!",
           "127.0.0.1:6379> AUTH s3cr",
           "127.0.0.1:6379> auth app hunter2,:(secret)",
           "AUTH \"hunter two\"",
           "redis-cli -h x -a hunter2 PING",
           "valkey-cli -a 'hunter two' INFO; redis-cli -a hunter3",
           "REDISCLI_AUTH=hunter2 redis-cli",
           "export REDIS_AUTH=\"hunter two\"",
           "password=hunter2",
           "{\"log\":\"\\\"password\\\":\\\"hunter two\\\"\"}",
           "db.password = 'hunter two'",
           "password=hunter,hunter;hunter",
           "비밀번호: hunter2",
           "encryption_key=hunter2 credentials: hunter2 secret_key=hunter2",
           "pass=hunter2",
           "\"pass\": \"hunter2\"",
           "Authorization: Bearer bearer-of-bad-news",
           "mail kim@example.co.kr please",
           "call 010-1234-5678",
           "주민번호 900101-1234567",
           "AKIAIOSFODNN7EXAMPLE",
       }) {
    ExpectNoSecret(text);
  }
}

TEST(RedactTest, TakesSecretsOutOfConfigurationFiles) {
  for (const char* text : {
           "requirepass hunter2hunter2",
           "requirepass hunter<2>'hunter",
           "masterauth \"hunter two\"",
           "CONFIG SET requirepass hunter2",
           "\"requirepass\": \"hunter2\"",
           "sentinel auth-pass mymaster hunter2",
           "SENTINEL SET mymaster auth-pass hunter2",
           "tls-key-file-pass hunter2",
           "args:\n  - --requirepass\n  - hunter2",
           "command: [\"redis-server\", \"--requirepass\", \"hunter2\"]",
           "command: [\"redis-cli\", \"-a\", \"hunter2\", \"ping\"]",
           "user bob on >hunter2 ~* +@all",
           "user bob +@all ~app:* on >hunter2 >hunter3 <hunter4",
           "ACL SETUSER bob on >hunter2 >hunter3 ~*",
       }) {
    ExpectNoSecret(text);
  }
  ExpectNoSecret("user bob on " + kHash + " ~* &* +@all");
  ExpectNoSecret("1) \"user bob on " + kHash + " ~* &* +@all\"");
  EXPECT_NE(LeftOf("sentinel auth-pass mymaster hunter2").find("mymaster <redacted"), std::string::npos);
}

// What redis-cli prints, in its three notations, and the protocol itself.
TEST(RedactTest, TakesSecretsOutOfReplies) {
  for (const char* text : {
           "1) \"requirepass\"\n2) \"hunter two\"",
           " 9) \"masterauth\"\n10) \"hunter2\"",
           "1) \"maxmemory\"\n2) \"0\"\n3) \"requirepass\"\r\n4) \"hunter2\"\r\n",
           "1# \"requirepass\" => \"hunter2\"",
           "1) \"requirepass\" 2) \"hunter2\"",
           "requirepass\nhunter two",
           "maxmemory\n0\nrequirepass\r\nhunter2\r\n",
           "*2\r\n$11\r\nrequirepass\r\n$7\r\nhunter2\r\n",
           R"(write(8, "*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n", 30) = 30)",
           "*3\r\n$4\r\nAUTH\r\n$3\r\nbob\r\n$7\r\nhunter2\r\n",
           "1) \"password\"\n2) \"hunter2\"",
           "5) \"passwords\"\n6) 1) \"0d1e2a3d0d1e2a3d0d1e2a3d0d1e2a3d0d1e2a3d0d1e2a3d0d1e2a3d0d1e2a3d\"",
       }) {
    ExpectNoSecret(text);
  }
}

TEST(RedactTest, TakesSecretsOutOfCommands) {
  for (const char* text : {
           "\"AUTH\" \"hunter2\"",
           "1339518083.107412 [0 127.0.0.1:60866] \"AUTH\" \"bob\" \"hunter two\"",
           "[\"AUTH\", \"hunter2\"]",
           "['CONFIG', 'SET', 'requirepass', 'hunter2']",
           "{\"log\":\"\\\"AUTH\\\" \\\"hunter2\\\"\"}",
           "HELLO 3 AUTH default hunter2 SETNAME x",
           "\"hello\" \"3\" \"auth\" \"default\" \"hunter2\"",
           "MIGRATE 10.0.0.1 6379 key 0 5000 COPY AUTH hunter2 KEYS a",
           "MIGRATE 10.0.0.1 6379 key 0 5000 AUTH2 user hunter2",
           "\"MIGRATE\" \"h\" \"6379\" \"\" \"0\" \"5000\" \"AUTH2\" \"user\" \"hunter2\" \"KEYS\" \"a\"",
           "\"ACL\" \"SETUSER\" \"bob\" \"on\" \">hunter2\" \"#hunter3\"",
       }) {
    ExpectNoSecret(text);
  }
}

std::string Slowlog(const std::vector<std::string>& args, bool raw = false) {
  std::string out = raw ? "14\n1309448221\n150000\n"
                        : "1) 1) (integer) 14\n   2) (integer) 1309448221\n"
                          "   3) (integer) 150000\n";
  for (size_t i = 0; i < args.size(); ++i) {
    std::string number = std::to_string(i + 1);
    out += raw ? args[i] + "\n" : (i == 0 ? "   4) " : "      ") + number + ") \"" + args[i] + "\"\n";
  }
  return out + (raw ? "127.0.0.1:58217\nworker" : "   5) \"127.0.0.1:58217\"\n   6) \"worker\"");
}

TEST(RedactTest, TakesSecretsOutOfSlowlogAndLeavesTheClient) {
  const std::vector<std::vector<std::string>> commands = {
      {"AUTH", "hunter2"},
      {"AUTH", "bob", "hunter two"},
      {"CONFIG", "SET", "requirepass", "hunter2"},
      {"HELLO", "3", "AUTH", "default", "hunter2", "SETNAME", "x"},
      {"MIGRATE", "10.0.0.1", "6379", "key", "0", "5000", "AUTH", "hunter2"},
      {"ACL", "SETUSER", "bob", "on", ">hunter2"},
  };
  for (const auto& args : commands) {
    for (bool raw : {false, true}) {
      std::string text = Slowlog(args, raw);
      ExpectNoSecret(text);
      std::string out = Redact(text);
      for (const std::string& kept : {args[0], std::string("127.0.0.1:58217"), std::string("worker")}) {
        EXPECT_NE(out.find(kept), std::string::npos) << out;
      }
    }
  }
}

TEST(RedactTest, LongSecretsGoWhole) {
  const std::string secret(3000, 'k');
  for (const std::string head : {"requirepass ", "password=", "api_token: ", "Authorization: Bearer ", "redis://u:"}) {
    std::string out = Redact(head + secret + (head.starts_with("redis:") ? "@h" : ""));
    EXPECT_EQ(out.find("kkkk"), std::string::npos) << head;
  }
}

// Quadratic work on any of these would take minutes.
TEST(RedactTest, TakesTimeInProportionToTheText) {
  for (const char* piece :
       {"'\\", "\"\\", "\\\"", "1) ", "password=<", "password='", "user a on >", "*1\\r\\n$1\\r\\n", "14\nAUTH\n"}) {
    std::string text;
    while (text.size() < 500'000) text += piece;
    EXPECT_FALSE(Redact(text).empty());
  }
}

TEST(RedactTest, LeavesOperationalTextAlone) {
  for (const char* text : {
           "NOAUTH Authentication required.",
           "Unable to AUTH to MASTER: -WRONGPASS invalid username-password pair",
           "used_memory:1073741824",
           "1:M 22 Jan 2019 18:40:10.203 # Background saving error",
           "10.0.0.1:6379 id=647683079 omem=4310436864",
           "ACL SETUSER <app> -keys",
           "requirepass <강한 비밀번호>",
           "the user sees latency >100ms on issue #1234",
           "1) \"maxmemory\"\n2) \"0\"\n3) \"requirepass\"\n4) \"\"",
           "requirepass\n\nmaxmemory\n0",
           "password=<password>, secret=",
           "7) \"object\"\n8) \"AUTH\"\n9) \"username\"\n10) \"default\"",
           "acl_access_denied_auth:12\r\nerrorstat_WRONGPASS:count=7",
           "health check: pass, bypass=on",
       }) {
    EXPECT_EQ(Redact(text), text);
  }
  EXPECT_EQ(Redact("a=1 password=x1,maxmemory=5&hz=10"), "a=1 password=<redacted:password>,maxmemory=5&hz=10");
}

TEST(RedactTest, AMetricWithTheNameOfASecretIsReplaced) {
  for (const char* name : {"pass", "credential", "credentials", "encryption_key", "requirepass", "db_password", "auth",
                           "secret_key", "REDISCLI_AUTH"}) {
    EXPECT_EQ(RedactValue(name, "hunter two"), "<redacted:password>") << name;
  }
  for (const char* name : {"passes", "bypass", "keys", "expired_keys", "acl_access_denied_key", "compass"}) {
    EXPECT_EQ(RedactValue(name, "12345"), "12345") << name;
  }
}

}  // namespace
}  // namespace redoubt::diagnose
