#include "resp/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "resp/test_server.h"

namespace redoubt::resp {
namespace {

using Engine = TestServer::Engine;

ConnectFailure FailureOf(const ConnectOptions& options) {
  ConnectFailure failure = ConnectFailure::kBadOptions;
  auto client = Client::Connect(options, &failure);
  EXPECT_FALSE(client.ok());
  return failure;
}

// Accepts one connection and says `banner`, or nothing.
class FakePeer {
 public:
  explicit FakePeer(std::string banner) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 4);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    options_.port = ntohs(address.sin_port);
    options_.command_timeout_ms = 300;
    options_.connect_timeout_ms = 300;
    thread_ = std::thread([this, banner] {
      int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      if (!banner.empty()) (void)!write(fd, banner.data(), banner.size());
      char buffer[256];
      while (read(fd, buffer, sizeof(buffer)) > 0) {
      }
      close(fd);
    });
  }
  ~FakePeer() {
    shutdown(listener_, SHUT_RDWR);
    close(listener_);
    thread_.join();
  }
  const ConnectOptions& options() const { return options_; }

 private:
  int listener_ = -1;
  ConnectOptions options_;
  std::thread thread_;
};

class ClientTest : public testing::TestWithParam<Engine> {};
INSTANTIATE_TEST_SUITE_P(Servers, ClientTest, testing::Values(Engine::kRedis, Engine::kValkey),
                         [](const auto& info) { return info.param == Engine::kRedis ? "Redis" : "Valkey"; });

TEST_P(ClientTest, SpeaksWithARealServer) {
  auto server = TestServer::Start({.engine = GetParam(), .arguments = {}});
  ASSERT_TRUE(server);
  ConnectOptions options = server->connect_options();
  options.client_name = "redoubt";
  auto client = Client::Connect(options);
  ASSERT_TRUE(client.ok()) << client.status().message();
  Client& redis = **client;
  EXPECT_GT(redis.id(), 0);
  EXPECT_EQ(redis.Command({"CLIENT", "GETNAME"})->text(), "redoubt");
  EXPECT_EQ(redis.Command({"RPUSH", "list", "a", "b"})->integer(), 2);
  auto list = redis.Command({"LRANGE", "list", "0", "-1"});
  ASSERT_EQ(list->elements().size(), 2u);
  EXPECT_EQ(list->elements()[1].text(), "b");
  EXPECT_TRUE(redis.Command({"GET", "absent"})->IsNil());
  EXPECT_TRUE(redis.Command({"LPUSH"})->IsError("ERR"));
  std::string big(3 << 20, 'x');
  EXPECT_EQ(redis.Command({"SET", "big", big})->text(), "OK");
  EXPECT_EQ(redis.Command({"GET", "big"})->text(), big);
}

TEST_P(ClientTest, SpeaksTlsAndChecksTheCertificate) {
  auto server = TestServer::Start({.engine = GetParam(), .arguments = {}, .tls = true});
  ASSERT_TRUE(server);
  ConnectOptions options = server->connect_options();
  auto client = Client::Connect(options);
  ASSERT_TRUE(client.ok()) << client.status().message();
  std::string big(3 << 20, 'x');
  EXPECT_EQ((*client)->Command({"SET", "big", big})->text(), "OK");
  EXPECT_EQ((*client)->Command({"GET", "big"})->text(), big);

  ConnectOptions unknown_authority = options;
  unknown_authority.tls->ca.clear();
  EXPECT_EQ(FailureOf(unknown_authority), ConnectFailure::kTls);
  ConnectOptions wrong_name = options;
  wrong_name.tls->server_name = "other.example";
  EXPECT_EQ(FailureOf(wrong_name), ConnectFailure::kTls);
  EXPECT_NE(Client::Connect(wrong_name).status().message().find("other.example"), std::string::npos);
  wrong_name.tls->insecure_skip_verify = true;
  EXPECT_TRUE(Client::Connect(wrong_name).ok());
  ConnectOptions by_name = options;
  by_name.tls->server_name = "localhost";
  EXPECT_TRUE(Client::Connect(by_name).ok());
  ConnectOptions missing = options;
  missing.tls->ca = "/does/not/exist.pem";
  EXPECT_EQ(FailureOf(missing), ConnectFailure::kBadOptions);
}

TEST(Client, TlsWithoutAClientCertificateIsRefusedWhereOneIsNeeded) {
  auto server = TestServer::Start({.engine = Engine::kRedis, .arguments = {}, .tls = true});
  ASSERT_TRUE(server);
  ConnectOptions options = server->connect_options();
  options.tls->cert.clear();
  options.tls->key.clear();
  EXPECT_EQ(FailureOf(options), ConnectFailure::kTls);
}

TEST(Client, TlsAgainstAPlainServerEndsInTime) {
  auto server = TestServer::Start();
  ASSERT_TRUE(server);
  ConnectOptions options = server->connect_options();
  options.tls.emplace();
  options.connect_timeout_ms = 300;
  // A plain Redis waits for the end of what it takes for a command line.
  EXPECT_EQ(FailureOf(options), ConnectFailure::kTimeout);
}

TEST_P(ClientTest, TellsAuthenticationFailuresApart) {
  auto server = TestServer::Start({.engine = GetParam(), .arguments = {"--requirepass", "secret"}});
  ASSERT_TRUE(server);
  ConnectOptions options = server->connect_options();
  EXPECT_EQ(FailureOf(options), ConnectFailure::kAuthNeeded);
  options.password = "wrong";
  EXPECT_EQ(FailureOf(options), ConnectFailure::kAuthFailed);
  options.username = "nobody";
  EXPECT_EQ(FailureOf(options), ConnectFailure::kAuthFailed);
  options.username.clear();
  options.password = "secret";
  EXPECT_TRUE(Client::Connect(options).ok());
}

TEST(Client, GoesOnWhenAPasswordIsGivenButNoneIsNeeded) {
  auto server = TestServer::Start();
  ASSERT_TRUE(server);
  ConnectOptions options = server->connect_options();
  options.password = "superfluous";
  EXPECT_TRUE(Client::Connect(options).ok());
}

TEST(Client, SaysRefusedWhereNobodyListens) {
  ConnectOptions options;
  options.port = FreePort();
  EXPECT_EQ(FailureOf(options), ConnectFailure::kRefused);
}

TEST(Client, SaysUnknownHost) {
  ConnectOptions options;
  options.host = "no-such-host.invalid";
  EXPECT_EQ(FailureOf(options), ConnectFailure::kUnknownHost);
}

TEST(Client, SaysTimeoutForASilentPeer) {
  FakePeer peer("");
  auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(FailureOf(peer.options()), ConnectFailure::kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST(Client, SaysNotRedisForAnotherProtocol) {
  FakePeer peer("SSH-2.0-OpenSSH_9.2\r\n");
  EXPECT_EQ(FailureOf(peer.options()), ConnectFailure::kNotRedis);
}

TEST_P(ClientTest, SaysMaxClientsWhenTheServerIsFull) {
  auto server = TestServer::Start({.engine = GetParam(), .arguments = {"--maxclients", "2"}});
  ASSERT_TRUE(server);
  auto first = Client::Connect(server->connect_options());
  ASSERT_TRUE(first.ok());
  auto second = Client::Connect(server->connect_options());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(FailureOf(server->connect_options()), ConnectFailure::kMaxClients);
}

TEST(Client, ATimedOutConnectionIsNotUsedAgain) {
  auto server = TestServer::Start();
  ASSERT_TRUE(server);
  auto client = Client::Connect(server->connect_options());
  ASSERT_TRUE(client.ok());
  server->Pause();
  auto reply = (*client)->Command({"PING"}, 100);
  server->Resume();
  EXPECT_EQ(reply.status().code(), base::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE((*client)->connected());
  EXPECT_FALSE((*client)->Command({"PING"}).ok());
}

TEST(Client, NoticesThatTheServerDied) {
  auto server = TestServer::Start();
  ASSERT_TRUE(server);
  auto client = Client::Connect(server->connect_options());
  ASSERT_TRUE(client.ok());
  server->Kill();
  EXPECT_EQ((*client)->Command({"PING"}).status().code(), base::StatusCode::kUnavailable);
  EXPECT_FALSE((*client)->connected());
}

}  // namespace
}  // namespace redoubt::resp
