// The load of the flow benches: redoubt_load_client PORT resp|http CONNECTIONS SECONDS REQUEST_FILE...
// Each connection sends the bytes of its file (the files are dealt out in turn), waits for the whole reply and sends
// again. One thread and next to no work per reply, so that the server is what is measured. After a short warm-up it
// counts for SECONDS and prints {"requests": ..., "seconds": ..., "errors": ..., "p50_us": ..., "p99_us": ...,
// "all_requests": ...}, the last with those of the warm-up. An error is a RESP error or an HTTP status other than 200;
// the first one goes to stderr.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kWarmUpShare = 0.15;
constexpr size_t kReadBytes = size_t{1} << 20;

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "redoubt_load_client: %s\n", what.c_str());
  std::exit(1);
}

// Finds where a reply ends without keeping its payload.
class ReplyReader {
 public:
  explicit ReplyReader(bool http) : http_(http) {}

  void Begin() {
    left_ = 1;
    skip_ = 0;
    failed_ = false;
    line_.clear();
  }

  // Takes received bytes; true once the reply is whole.
  bool Take(std::string_view bytes) {
    while (!bytes.empty() && !Whole()) {
      const size_t skipped = std::min(skip_, bytes.size());
      skip_ -= skipped;
      bytes.remove_prefix(skipped);
      if (bytes.empty() || left_ == 0) continue;
      const size_t end = bytes.find('\n');
      line_ += bytes.substr(0, end);  // the whole rest when there is no line end yet
      if (end == std::string_view::npos) break;
      bytes.remove_prefix(end + 1);
      if (http_) {
        HttpLine();
      } else {
        RespLine();
      }
      line_.clear();
    }
    return Whole();
  }

  bool failed() const { return failed_; }
  const std::string& error() const { return error_; }

 private:
  bool Whole() const { return left_ == 0 && skip_ == 0; }

  void Failure() {
    failed_ = true;
    if (error_.empty()) error_ = line_;
  }

  void RespLine() {
    --left_;
    const long long number = std::strtoll(line_.c_str() + 1, nullptr, 10);
    if (line_[0] == '$' && number >= 0) skip_ = static_cast<size_t>(number) + 2;
    if (line_[0] == '*' && number > 0) left_ += static_cast<size_t>(number);
    if (line_[0] == '-') Failure();
  }

  void HttpLine() {
    constexpr std::string_view kLength = "content-length:";
    if (line_.starts_with("HTTP/")) {
      body_ = 0;
      if (line_.find(" 200") == std::string::npos) Failure();
    } else if (strncasecmp(line_.c_str(), kLength.data(), kLength.size()) == 0) {
      body_ = std::strtoull(line_.c_str() + kLength.size(), nullptr, 10);
    } else if (line_ == "\r") {
      left_ = 0;
      skip_ = body_;
    }
  }

  const bool http_;
  size_t left_ = 0;  // lines that still have to come
  size_t skip_ = 0;  // bytes that are nobody's business
  size_t body_ = 0;
  bool failed_ = false;
  std::string line_;
  std::string error_;
};

struct Connection {
  Connection(int port, bool http, std::string bytes) : request(std::move(bytes)), reader(http) {
    descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
      Fail("cannot connect to port " + std::to_string(port));
    }
  }

  // Sends what the socket takes; true when the whole request is out.
  bool Send() {
    while (sent < request.size()) {
      const ssize_t n = send(descriptor, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOTCONN)) return false;
      if (n <= 0) Fail(std::string("send: ") + std::strerror(errno));
      sent += static_cast<size_t>(n);
    }
    return true;
  }

  std::string request;
  ReplyReader reader;
  int descriptor = -1;
  size_t sent = 0;
  Clock::time_point started;
};

class Load {
 public:
  Load(std::vector<Connection>& connections, double seconds) : connections_(connections) {
    poll_ = epoll_create1(0);
    const auto span = [](double s) {
      return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(s));
    };
    from_ = Clock::now() + span(seconds * kWarmUpShare);
    until_ = from_ + span(seconds);
    buffer_.resize(kReadBytes);
  }

  void Run() {
    for (Connection& connection : connections_) {
      Watch(connection, EPOLL_CTL_ADD, EPOLLIN);
      Ask(connection);
    }
    std::vector<epoll_event> events(connections_.size());
    while (Clock::now() < until_) {
      const int count = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 100);
      for (int i = 0; i < count; ++i) {
        auto& connection = *static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
        if (connection.sent < connection.request.size()) {
          if (connection.Send()) Watch(connection, EPOLL_CTL_MOD, EPOLLIN);
        } else {
          Receive(connection);
        }
      }
    }
  }

  void Print() {
    if (micros_.empty()) Fail("no reply came");
    std::sort(micros_.begin(), micros_.end());
    const auto at = [this](double share) {
      return micros_[static_cast<size_t>(share * static_cast<double>(micros_.size() - 1))];
    };
    const double seconds = std::chrono::duration<double>(until_ - from_).count();
    std::printf(
        "{\"requests\": %zu, \"seconds\": %.3f, \"errors\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, "
        "\"all_requests\": %zu}\n",
        micros_.size(), seconds, errors_, at(0.5), at(0.99), all_);
    for (const Connection& connection : connections_) {
      if (connection.reader.error().empty()) continue;
      std::fprintf(stderr, "%s\n", connection.reader.error().c_str());
      break;
    }
  }

 private:
  void Watch(Connection& connection, int operation, uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &connection;
    epoll_ctl(poll_, operation, connection.descriptor, &event);
  }

  void Ask(Connection& connection) {
    connection.started = Clock::now();
    connection.reader.Begin();
    connection.sent = 0;
    if (!connection.Send()) Watch(connection, EPOLL_CTL_MOD, EPOLLOUT);
  }

  void Receive(Connection& connection) {
    const ssize_t n = recv(connection.descriptor, buffer_.data(), buffer_.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n <= 0) Fail("the server closed a connection");
    if (!connection.reader.Take({buffer_.data(), static_cast<size_t>(n)})) return;
    const Clock::time_point now = Clock::now();
    ++all_;
    if (now >= from_ && now < until_) {
      micros_.push_back(std::chrono::duration<double, std::micro>(now - connection.started).count());
      if (connection.reader.failed()) ++errors_;
    }
    Ask(connection);
  }

  std::vector<Connection>& connections_;
  int poll_;
  Clock::time_point from_;
  Clock::time_point until_;
  std::string buffer_;
  std::vector<double> micros_;
  size_t errors_ = 0;
  size_t all_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) Fail("usage: redoubt_load_client PORT resp|http CONNECTIONS SECONDS REQUEST_FILE...");
  std::vector<std::string> requests;
  for (int i = 5; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    requests.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (requests.back().empty()) Fail(std::string("nothing in ") + argv[i]);
  }
  const auto count = static_cast<size_t>(std::atoi(argv[3]));
  std::vector<Connection> connections;
  connections.reserve(count);  // epoll keeps their addresses
  for (size_t i = 0; i < count; ++i) {
    connections.emplace_back(std::atoi(argv[1]), std::string_view(argv[2]) == "http", requests[i % requests.size()]);
  }
  Load load(connections, std::atof(argv[4]));
  load.Run();
  load.Print();
}
