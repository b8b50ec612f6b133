#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "server/http/event_hub.h"
#include "server/http/server.h"
#include "server/http/static_files.h"

namespace redoubt::http {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kToken = "0123456789abcdef0123";

// A client that sends bytes as they are, so that a test can break every rule.
class RawClient {
 public:
  explicit RawClient(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval limit{5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~RawClient() { close(fd_); }

  RawClient& Send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return *this;
  }
  // Until the text was seen, the other side closes, or 5 s passed.
  std::string ReadUntil(std::string_view mark) {
    std::string text;
    char bytes[4096];
    while (text.find(mark) == std::string::npos) {
      ssize_t size = recv(fd_, bytes, sizeof bytes, 0);
      if (size <= 0) break;
      text.append(bytes, static_cast<size_t>(size));
    }
    return text;
  }
  std::string ReadAll() { return ReadUntil("\x01 never \x01"); }

 private:
  int fd_;
};

class HttpTest : public testing::Test {
 protected:
  void SetUp() override {
    router_.Add("GET", "/hello", [](const Request&) { return JsonResponse(200, "{\"hello\":1}"); });
    router_.Add("POST", "/echo", [](const Request& r) { return JsonResponse(200, r.body); }, {.max_body = 1000});
    router_.Add("GET", "/things/{id}",
                [](const Request& r) { return TextResponse(200, "text/plain", r.path_params.at("id")); });
    router_.Add("GET", "/things/all", [](const Request&) { return TextResponse(200, "text/plain", "every thing"); });
    router_.Add("GET", "/throws", [](const Request&) -> Response { throw std::runtime_error("boom"); });
    router_.Add("GET", "/open", [](const Request&) { return JsonResponse(200, "{}"); }, {.open = true});
    router_.Add("GET", "/events", [this](const Request&) {
      Response response;
      response.body = EventFrame("hello", "{}");
      response.events = hub_.Subscribe({});
      return response;
    });
    router_.Add("GET", "/wait", [this](const Request&) {
      std::unique_lock lock(mu_);
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return released_; });
      return JsonResponse(200, "{}");
    });
  }
  void TearDown() override { Release(); }

  void Serve(AccessOptions access = {}) {
    options_.listen = {*ParseAddress("127.0.0.1:0")};
    policy_ = std::make_unique<AccessPolicy>(access);
    auto server = Server::Start(options_, router_, *policy_, stats_, base::Logger());
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(*server);
    port_ = server_->addresses()[0].port;
  }
  std::string Get(const std::string& path, const std::string& headers = "") {
    return RawClient(port_)
        .Send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + "\r\n")
        .ReadAll();
  }
  std::string Post(const std::string& body, const std::string& headers) {
    return RawClient(port_)
        .Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body)
        .ReadAll();
  }
  void Release() {
    std::lock_guard lock(mu_);
    released_ = true;
    changed_.notify_all();
  }

  ServerOptions options_;
  Router router_;
  Stats stats_;
  EventHub hub_{100};
  std::mutex mu_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool released_ = false;
  std::unique_ptr<AccessPolicy> policy_;
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
};

TEST_F(HttpTest, AnswersAndKeepsTheConnection) {
  Serve();
  RawClient client(port_);
  std::string request = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    std::string reply = client.Send(request).ReadUntil("{\"hello\":1}");
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(reply, HasSubstr("X-Content-Type-Options: nosniff"));
    EXPECT_THAT(reply, HasSubstr("Content-Security-Policy: default-src 'self'"));
  }
  EXPECT_EQ(stats_.connections, 1u);
}

TEST_F(HttpTest, DecodesPathParametersAndPrefersLiterals) {
  Serve();
  EXPECT_THAT(Get("/things/a%2Fb%20c"), HasSubstr("\r\n\r\na/b c"));
  EXPECT_THAT(Get("/things/all"), HasSubstr("every thing"));
  EXPECT_THAT(Get("/things/%zz"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Get("/things/%00"), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpTest, RefusesAParameterThatTheRouteDoesNotTake) {
  router_.Add("GET", "/list", [](const Request&) { return JsonResponse(200, "{}"); }, {.query = "rule instance"});
  router_.Add("GET", "/any", [](const Request&) { return JsonResponse(200, "{}"); }, {.query = kAnyQuery});
  Serve();
  for (const char* path : {"/list?rule=a&instance=b&lang=en", "/hello?lang=ko", "/list", "/any?x=1"}) {
    EXPECT_THAT(Get(path), StartsWith("HTTP/1.1 200")) << path;
  }
  EXPECT_THAT(Get("/list?lang=en&rules=a"),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("There is no query parameter 'rules'.")));
  for (const char* path : {"/hello?rule=a", "/list?", "/list?rul=a", "/list?rule%20instance=a", "/list?=a"}) {
    bool empty = std::string(path).ends_with('?');
    EXPECT_THAT(Get(path), StartsWith(empty ? "HTTP/1.1 200" : "HTTP/1.1 400")) << path;
  }
}

TEST_F(HttpTest, HeadHasTheHeaderOfGetAndNoBody) {
  Serve();
  std::string reply =
      RawClient(port_).Send("HEAD /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ReadAll();
  EXPECT_THAT(reply, HasSubstr("Content-Length: 11"));
  EXPECT_THAT(reply, Not(HasSubstr("hello")));
}

TEST_F(HttpTest, UnknownPathAndMethodSayWhatThereIs) {
  Serve();
  EXPECT_THAT(Get("/nothing"), HasSubstr("\"code\":\"not_found\""));
  std::string reply = Get("/echo");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(reply, HasSubstr("Allow: POST"));
}

TEST_F(HttpTest, ErrorsSpeakTheCallersLanguage) {
  Serve();
  EXPECT_THAT(Get("/nothing"), HasSubstr("없는 경로입니다."));
  EXPECT_THAT(Get("/nothing", "Accept-Language: en-US\r\n"), HasSubstr("There is no such path."));
  EXPECT_THAT(Get("/nothing?lang=en"), HasSubstr("There is no such path."));
}

TEST_F(HttpTest, AHandlerThatThrowsIsAnInternalError) {
  Serve();
  EXPECT_THAT(Get("/throws"), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(Get("/hello"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpTest, RefusesABodyOverTheLimitAndTheClientSeesWhy) {
  Serve();
  std::string big(5 << 20, 'x');
  std::string reply = Post(big, "Content-Type: application/json\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(reply, HasSubstr("payload_too_large"));
  std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
      std::string("1000\r\n") + std::string(4096, 'x') + "\r\n0\r\n\r\n";
  EXPECT_THAT(RawClient(port_).Send(chunked).ReadUntil("}}"), StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpTest, ABodyMustBeJson) {
  Serve();
  EXPECT_THAT(Post("a=1", "Content-Type: application/x-www-form-urlencoded\r\n"), StartsWith("HTTP/1.1 415"));
  EXPECT_THAT(Post("{}", "Content-Type: text/plain\r\n"), StartsWith("HTTP/1.1 415"));
  EXPECT_THAT(Post("{}", "Content-Type: application/json; charset=utf-8\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpTest, ContinuesAClientThatAsksFirst) {
  Serve();
  RawClient client(port_);
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: "
      "100-continue\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 100"));
  EXPECT_THAT(client.Send("{}").ReadUntil("{}"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpTest, RefusesForeignHostsAndOrigins) {
  Serve({.allowed_hosts = {"redoubt.example"}});
  auto with = [&](const std::string& headers) {
    return RawClient(port_).Send("GET /hello HTTP/1.1\r\nConnection: close\r\n" + headers + "\r\n").ReadAll();
  };
  EXPECT_THAT(with("Host: evil.example\r\n"), HasSubstr("forbidden_host"));
  EXPECT_THAT(with(""), HasSubstr("forbidden_host"));
  EXPECT_THAT(with("Host: 127.0.0.1.evil.example\r\n"), HasSubstr("forbidden_host"));
  EXPECT_THAT(with("Host: redoubt.example:8000\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(with("Host: [::1]:8000\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(with("Host: localhost:8501\r\nOrigin: http://localhost:8501\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(with("Host: localhost:8501\r\nOrigin: http://localhost:3000\r\n"), HasSubstr("forbidden_origin"));
  EXPECT_THAT(with("Host: localhost:8501\r\nOrigin: null\r\n"), HasSubstr("forbidden_origin"));
}

TEST_F(HttpTest, AsksForTheTokenAndTakesItOrItsCookie) {
  Serve({.token = std::string(kToken)});
  std::string refused = Get("/hello");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(refused, HasSubstr("WWW-Authenticate: Bearer"));
  EXPECT_THAT(Get("/open"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get("/hello", "Authorization: Bearer wrong\r\n"), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(Get("/hello", "Authorization: Bearer " + std::string(kToken) + "\r\n"), StartsWith("HTTP/1.1 200"));
  std::string cookie = policy_->SessionCookie(base::SystemClock().WallMillis());
  EXPECT_THAT(cookie, HasSubstr("HttpOnly; SameSite=Strict"));
  EXPECT_THAT(cookie, Not(HasSubstr(std::string(kToken))));
  std::string pair = cookie.substr(0, cookie.find(';'));
  EXPECT_THAT(Get("/hello", "Cookie: a=b; " + pair + "\r\n"), StartsWith("HTTP/1.1 200"));
  pair.back() = pair.back() == '0' ? '1' : '0';
  EXPECT_THAT(Get("/hello", "Cookie: " + pair + "\r\n"), StartsWith("HTTP/1.1 401"));
}

TEST_F(HttpTest, AnOldCookieNoLongerCounts) {
  AccessPolicy policy({.token = std::string(kToken)});
  std::string cookie = policy.SessionCookie(1'700'000'000'000);
  Request request;
  request.headers["cookie"] = cookie.substr(0, cookie.find(';'));
  EXPECT_TRUE(policy.Authenticated(request, 1'700'000'000'000));
  EXPECT_FALSE(policy.Authenticated(request, 1'700'000'000'000 + 13 * 3600 * 1000LL));
}

TEST_F(HttpTest, ASlowHeaderIsCutOff) {
  options_.header_timeout_ms = 200;
  Serve();
  auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(RawClient(port_).Send("GET /hello HT").ReadAll(), "");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(3));
}

TEST_F(HttpTest, AHugeHeaderIsRefused) {
  Serve();
  EXPECT_THAT(Get("/hello", "X-Long: " + std::string(64 << 10, 'x') + "\r\n"), StartsWith("HTTP/1.1 431"));
}

// None of this counts as body, and the parser takes it only when it is whole.
TEST_F(HttpTest, AHugeChunkHeaderOrTrailerIsRefused) {
  Serve();
  for (std::string start : {"5;a=", "0\r\na: "}) {
    RawClient client(port_);
    client.Send(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n" +
        start);
    client.Send(std::string(200'000, 'x'));
    EXPECT_THAT(client.ReadUntil("header_too_large"), StartsWith("HTTP/1.1 431")) << start;
  }
}

TEST_F(HttpTest, ChunksWithExtensionsAndTrailersAreTaken) {
  Serve();
  std::string reply = RawClient(port_)
                          .Send(
                              "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                              "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "3;a=b\r\n123\r\n1\r\n4\r\n0\r\nDigest: x\r\n\r\n")
                          .ReadAll();
  EXPECT_THAT(reply, AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("1234")));
}

TEST_F(HttpTest, AnyMethodLeavesABoundedSetOfCounters) {
  Serve();
  for (int i = 0; i < 50; ++i) {
    std::string method = "M" + std::string(1000, 'X') + std::to_string(i);
    RawClient(port_).Send(method + " /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ReadAll();
  }
  Get("/hello");
  auto routes = stats_.routes();
  EXPECT_EQ(routes.size(), 2u);
  EXPECT_EQ((routes[{"other", "(unmatched)"}].count), 50u);
  EXPECT_EQ((routes[{"GET", "/hello"}].count), 1u);
}

TEST_F(HttpTest, NonsenseIsABadRequest) {
  Serve();
  EXPECT_THAT(RawClient(port_).Send("\x16\x03\x01 this is not HTTP\r\n\r\n").ReadUntil("}}"),
              StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpTest, AFullQueueRefusesAndTellsWhenToRetry) {
  options_.quick_threads = 1;
  options_.quick_queue = 1;
  Serve();
  RawClient first(port_), second(port_);
  first.Send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  {
    std::unique_lock lock(mu_);
    changed_.wait(lock, [this] { return waiting_ == 1; });
  }
  second.Send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string refused;
  for (int i = 0; i < 100 && refused.find("503") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // until the second one waits in the queue
    RawClient third(port_);
    third.Send("GET /wait HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    if (stats_.overloaded > 0 || i > 0) refused = third.ReadUntil("}}");
  }
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(refused, HasSubstr("Retry-After: 1"));
  Release();
  EXPECT_THAT(first.ReadUntil("{}"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpTest, EventsReachEveryOpenStream) {
  Serve();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(port_));
    clients.back()->Send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(clients.back()->ReadUntil("event: hello"), HasSubstr("text/event-stream"));
  }
  hub_.Publish("sample", "{\"n\":1}");
  hub_.Publish("sample", "{\"n\":2}");
  for (auto& client : clients)
    EXPECT_THAT(client->ReadUntil("\"n\":2"), HasSubstr("event: sample\nid: 1\ndata: {\"n\":1}\n\n"));
  hub_.CloseAll();
  for (auto& client : clients) client->ReadAll();
}

TEST(EventHubTest, KeepsTopicsAndVariantsApart) {
  EventHub hub(10);
  auto a = hub.Subscribe({.topic = "a", .variant = "ko"});
  hub.Publish("x", "1", "a", "ko");
  hub.Publish("x", "2", "b", "ko");
  hub.Publish("x", "3", "a", "en");
  hub.Publish("x", "4");
  bool closed = false;
  auto frames = a->Take(closed);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_THAT(*frames[0], HasSubstr("data: 1"));
  EXPECT_THAT(*frames[1], HasSubstr("data: 4"));
}

TEST(EventHubTest, CutsOffAReaderThatDoesNotRead) {
  EventStream stream(2);
  auto frame = std::make_shared<const std::string>("x");
  EXPECT_TRUE(stream.Push(frame));
  EXPECT_TRUE(stream.Push(frame));
  EXPECT_TRUE(stream.Push(frame));
  EXPECT_FALSE(stream.Push(frame));
  bool closed = false;
  EXPECT_TRUE(stream.Take(closed).empty());
  EXPECT_TRUE(closed);
}

TEST(EventHubTest, RefusesMoreStreamsThanItsLimit) {
  EventHub hub(1);
  auto first = hub.Subscribe({});
  EXPECT_EQ(hub.Subscribe({}), nullptr);
  first.reset();
  EXPECT_NE(hub.Subscribe({}), nullptr);
}

TEST(ExposureTest, OnlyLoopbackGoesWithoutTokenAndTls) {
  auto check = [](const char* address, AccessOptions options) {
    return CheckExposure(*ParseAddress(address), options);
  };
  EXPECT_TRUE(check("127.0.0.1:1", {}).ok());
  EXPECT_TRUE(check("[::1]:1", {}).ok());
  EXPECT_TRUE(check("localhost:1", {}).ok());
  base::Status bare = check("0.0.0.0:8000", {});
  EXPECT_THAT(bare.message(), HasSubstr("--token-file"));
  EXPECT_THAT(bare.message(), HasSubstr("--tls-cert"));
  EXPECT_FALSE(check("0.0.0.0:8000", {.token = std::string(kToken)}).ok());
  EXPECT_FALSE(check("0.0.0.0:8000", {.tls = true}).ok());
  EXPECT_TRUE(check("0.0.0.0:8000", {.token = std::string(kToken), .tls = true}).ok());
  EXPECT_TRUE(check("[::]:8000", {.token = std::string(kToken), .behind_proxy = true}).ok());
  EXPECT_FALSE(check("127.0.0.1:1", {.token = "short"}).ok());
  for (const char* wrong : {"8000", "example.com:80", "127.0.0.1:70000", "127.0.0.1:", "127.0.0.1:80x"}) {
    EXPECT_FALSE(ParseAddress(wrong).ok()) << wrong;
  }
}

TEST(StaticFilesTest, ServesPagesAssetsAndCompressedForms) {
  const StaticFile files[] = {{"/index.html", "text/html", "\"a\"", "<html>", ""},
                              {"/assets/x-1.js", "text/javascript", "\"b\"", "plain", "packed"},
                              {"/docs/index.html", "text/html", "\"c\"", "docs", ""}};
  Request request;
  request.path = "/monitor/abc";
  EXPECT_EQ(ServeStatic(files, request).static_body, "<html>");
  request.path = "/docs";
  EXPECT_EQ(ServeStatic(files, request).static_body, "docs");
  request.path = "/missing.js";
  EXPECT_EQ(ServeStatic(files, request).status, 404);
  request.path = "/assets/x-1.js";
  EXPECT_EQ(ServeStatic(files, request).static_body, "plain");
  request.headers["accept-encoding"] = "gzip, br";
  EXPECT_EQ(ServeStatic(files, request).static_body, "packed");
  request.headers["if-none-match"] = "\"b\"";
  EXPECT_EQ(ServeStatic(files, request).status, 304);
  EXPECT_EQ(ServeStatic({}, request).status, 404);
}

TEST(StaticFilesTest, ReadsAFolderIntoMemory) {
  std::string folder = std::filesystem::temp_directory_path() / "redoubt-web-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::filesystem::create_directory(folder + "/assets");
  std::ofstream(folder + "/index.html") << "<html>";
  std::ofstream(folder + "/assets/a.js") << std::string(5000, 'x');
  auto files = StaticFolder::Load(folder);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(files.ok()) << files.status().ToString();
  ASSERT_EQ(files->files().size(), 2u);
  Request request;
  request.path = "/assets/a.js";
  request.headers["accept-encoding"] = "gzip";
  Response packed = ServeStatic(files->files(), request);
  EXPECT_LT(packed.static_body.size(), 200u);
  EXPECT_THAT(packed.static_body, StartsWith("\x1f\x8b"));
  EXPECT_FALSE(StaticFolder::Load(folder).ok());
}

TEST(RequestTest, NegotiatesLanguage) {
  Request request;
  EXPECT_EQ(request.lang(), base::Lang::kKo);
  request.headers["accept-language"] = "en-US,en;q=0.9,ko;q=0.8";
  EXPECT_EQ(request.lang(), base::Lang::kEn);
  request.query = {{"lang", "ko"}};
  EXPECT_EQ(request.lang(), base::Lang::kKo);
}

}  // namespace
}  // namespace redoubt::http
