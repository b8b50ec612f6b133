#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "base/json.h"
#include "server/llm/provider.h"
#include "server/llm/sse_reader.h"

namespace redoubt::llm {
namespace {

using base::StatusCode;
using std::chrono::milliseconds;

// A loopback server that takes one HTTP request and answers it with given bytes.
class OneAnswerServer {
 public:
  // `answer` gets the whole request and writes to the socket; the socket is closed when it returns.
  explicit OneAnswerServer(std::function<void(int socket, const std::string& request)> answer) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer)] {
      int peer = accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      answer(peer, ReadRequest(peer));
      close(peer);
    });
  }
  ~OneAnswerServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

 private:
  static std::string ReadRequest(int peer) {
    std::string request;
    char bytes[4096];
    while (true) {
      size_t head = request.find("\r\n\r\n");
      size_t at = request.find("Content-Length: ");
      if (head != std::string::npos && at != std::string::npos &&
          request.size() >= head + 4 + std::stoul(request.substr(at + 16))) {
        return request;
      }
      ssize_t n = read(peer, bytes, sizeof bytes);
      if (n <= 0) return request;
      request.append(bytes, static_cast<size_t>(n));
    }
  }

  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

void Send(int socket, const std::string& text) {
  EXPECT_EQ(send(socket, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

const char kStreamHead[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

std::string Piece(const std::string& content) {
  base::Json delta = {{"choices", base::Json::array({{{"delta", {{"content", content}}}}})}};
  return "data: " + base::DumpJson(delta) + "\n\n";
}

base::Result<std::string> Ask(const OneAnswerServer& server, std::string* seen = nullptr,
                              milliseconds deadline = milliseconds(5000), std::string key = "sk-test") {
  auto provider = MakeOpenAiProvider({.base_url = server.base_url(), .model = "tiny", .api_key = std::move(key)});
  EXPECT_TRUE(provider.ok());
  return (*provider)->Complete({.system = "You explain.", .user = "Why?", .max_tokens = 64}, deadline,
                               [seen](std::string_view piece) {
                                 if (seen != nullptr) *seen += "|" + std::string(piece);
                               });
}

TEST(OpenAiProviderTest, StreamsTheAnswerPieceByPiece) {
  std::string request;
  OneAnswerServer server([&](int socket, const std::string& text) {
    request = text;
    std::string stream = Piece("메모리가 ") + ": a comment\n\n" + Piece("찼습니다 [1].") + "data: [DONE]\n\n";
    Send(socket, kStreamHead);
    // Cut in the middle of an event: the network keeps no boundaries.
    Send(socket, stream.substr(0, 25));
    std::this_thread::sleep_for(milliseconds(20));
    Send(socket, stream.substr(25));
  });
  std::string seen;
  base::Result<std::string> answer = Ask(server, &seen);
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  EXPECT_EQ(*answer, "메모리가 찼습니다 [1].");
  EXPECT_EQ(seen, "|메모리가 |찼습니다 [1].");
  EXPECT_TRUE(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
  EXPECT_NE(request.find("Authorization: Bearer sk-test\r\n"), std::string::npos);
  EXPECT_NE(request.find("\"stream\":true"), std::string::npos);
}

TEST(OpenAiProviderTest, SaysWhatTheServerSaidWhenItRefuses) {
  struct Case {
    int status;
    StatusCode code;
  };
  for (Case c : {Case{401, StatusCode::kUnauthenticated}, Case{429, StatusCode::kResourceExhausted},
                 Case{500, StatusCode::kUnavailable}, Case{404, StatusCode::kNotFound}}) {
    OneAnswerServer server([&](int socket, const std::string&) {
      std::string body = R"({"error":{"message":"not today"}})";
      Send(socket, "HTTP/1.1 " + std::to_string(c.status) + " No\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\nConnection: close\r\n\r\n" + body);
    });
    base::Status status = Ask(server).status();
    EXPECT_EQ(status.code(), c.code) << c.status;
    EXPECT_NE(status.message().find("not today"), std::string::npos) << status.message();
    EXPECT_EQ(status.message().find("sk-test"), std::string::npos) << "the key must not leak";
  }
}

TEST(OpenAiProviderTest, TakesNoHalfAnswer) {
  OneAnswerServer server([](int socket, const std::string&) { Send(socket, kStreamHead + Piece("Only the beg")); });
  EXPECT_EQ(Ask(server).status().code(), StatusCode::kDataLoss);
}

TEST(OpenAiProviderTest, TakesNoNonsense) {
  OneAnswerServer server([](int socket, const std::string&) {
    Send(socket, std::string(kStreamHead) + "data: <html>hello</html>\n\ndata: [DONE]\n\n");
  });
  EXPECT_EQ(Ask(server).status().code(), StatusCode::kDataLoss);
}

TEST(OpenAiProviderTest, StopsAtTheDeadline) {
  OneAnswerServer server([](int socket, const std::string&) {
    Send(socket, kStreamHead + Piece("slow"));
    char byte;
    // Until the client hangs up.
    while (read(socket, &byte, 1) > 0) {
    }
  });
  EXPECT_EQ(Ask(server, nullptr, milliseconds(200)).status().code(), StatusCode::kDeadlineExceeded);
}

TEST(OpenAiProviderTest, SaysWhenNobodyListens) {
  std::string url;
  {
    url = OneAnswerServer([](int, const std::string&) {}).base_url();
  }
  auto provider = MakeOpenAiProvider({.base_url = url, .model = "tiny", .api_key = ""});
  EXPECT_EQ((*provider)->Complete({}, milliseconds(2000), nullptr).status().code(), StatusCode::kUnavailable);
}

TEST(OpenAiProviderTest, RefusesAnAddressThatIsNoUrl) {
  EXPECT_EQ(MakeOpenAiProvider({.base_url = "file:///etc/passwd", .model = "m", .api_key = ""}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(SseReaderTest, GivesUpOnALineWithoutEnd) {
  SseReader reader([](std::string_view) {});
  std::string megabyte(1 << 20, 'x');
  EXPECT_TRUE(reader.Feed(megabyte));
  EXPECT_FALSE(reader.Feed("x"));
}

TEST(ApiKeyTest, ComesFromAFileOrTheEnvironment) {
  setenv("REDOUBT_TEST_KEY", "from-env", 1);
  EXPECT_EQ(*ReadApiKey("", "REDOUBT_TEST_KEY"), "from-env");
  EXPECT_EQ(*ReadApiKey("", "REDOUBT_NO_SUCH_KEY"), "");
  EXPECT_EQ(ReadApiKey("/nonexistent/key", "").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace redoubt::llm
