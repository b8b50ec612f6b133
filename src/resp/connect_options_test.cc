#include "resp/connect_options.h"

#include <gtest/gtest.h>

namespace redoubt::resp {
namespace {

TEST(RedisUrl, ReadsEveryPart) {
  auto options = ParseRedisUrl("rediss://watcher:p%40ss%2Fword@db.example:6380/3");
  ASSERT_TRUE(options.ok()) << options.status().message();
  EXPECT_EQ(options->host, "db.example");
  EXPECT_EQ(options->port, 6380);
  EXPECT_EQ(options->username, "watcher");
  EXPECT_EQ(options->password, "p@ss/word");
  EXPECT_EQ(options->db, 3);
  EXPECT_TRUE(options->tls.has_value());
}

TEST(RedisUrl, TakesDefaults) {
  auto options = ParseRedisUrl("redis://localhost");
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->port, 6379);
  EXPECT_FALSE(options->tls.has_value());
  EXPECT_TRUE(options->password.empty());
}

TEST(RedisUrl, TakesAPasswordWithoutUserAndWithARawAtSign) {
  auto options = ParseRedisUrl("redis://:a@b@host:7000");
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->password, "a@b");
  EXPECT_EQ(options->host, "host");
}

TEST(RedisUrl, TakesAnIpv6Address) {
  auto options = ParseRedisUrl("redis://[::1]:7000/");
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->host, "::1");
  EXPECT_EQ(Address(*options), "[::1]:7000");
}

TEST(RedisUrl, RefusesWhatCannotBeRightWithoutRepeatingThePassword) {
  for (const char* url : {"http://h", "redis://", "redis://h:0", "redis://h:99999", "redis://h:x", "redis://h/x",
                          "redis://u:sec%ret@h", "redis://[::1", "redis://user@h", "redis://a b", "redis://u:%4"}) {
    auto options = ParseRedisUrl(url);
    EXPECT_FALSE(options.ok()) << url;
    EXPECT_EQ(options.status().message().find("sec"), std::string::npos);
  }
}

TEST(ConnectOptions, ACertificateNeedsItsKey) {
  ConnectOptions options;
  options.tls.emplace();
  options.tls->cert = "client.crt";
  EXPECT_FALSE(Validate(options).ok());
}

}  // namespace
}  // namespace redoubt::resp
