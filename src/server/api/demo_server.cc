#include "server/api/demo_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "resp/client.h"

namespace redoubt::api {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr int kReadyTries = 100;  // of 50 ms
constexpr int kStopTries = 20;

int FreePort() {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
               getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

// Only calls that are safe between fork and exec in a program of many threads.
[[noreturn]] void BecomeServer(const std::vector<char*>& argv, const char* folder, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();  // Ctrl-C in our terminal is ours to handle
  if (getppid() != parent || chdir(folder) != 0) _exit(126);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(argv[0], argv.data());
  _exit(127);
}

std::string LastWords(const fs::path& log) {
  std::ifstream file(log);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return text.substr(text.size() > 300 ? text.size() - 300 : 0);
}

bool Answers(int port) {
  resp::ConnectOptions options;
  options.port = port;
  options.connect_timeout_ms = 500;
  return resp::Client::Connect(options).ok();
}

}  // namespace

std::optional<DemoServer::Running> DemoServer::running() {
  std::lock_guard lock(mu_);
  if (!AliveLocked()) return std::nullopt;
  return running_;
}

base::Result<DemoServer::Running> DemoServer::Start(int maxmemory_mb) {
  std::lock_guard lock(mu_);
  if (AliveLocked()) return running_;
  if (program_.empty()) {
    return base::FailedPrecondition(
        "no redis-server was found for the demo: install one, or name it with --demo-redis PROGRAM");
  }
  return Launch(maxmemory_mb);
}

base::Result<DemoServer::Running> DemoServer::Launch(int maxmemory_mb) {
  int port = FreePort();
  std::error_code error;
  fs::create_directories(folder_, error);
  std::string log_file = folder_ + "/demo.log";
  int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (port == 0 || log < 0) return base::Unavailable(fmt::format("cannot prepare the demo in {}", folder_));
  std::vector<std::string> arguments = {program_,
                                        "--port",
                                        std::to_string(port),
                                        "--bind",
                                        "127.0.0.1",
                                        "--maxmemory",
                                        fmt::format("{}mb", maxmemory_mb),
                                        "--maxmemory-policy",
                                        "noeviction",
                                        "--save",
                                        "",
                                        "--appendonly",
                                        "no",
                                        "--daemonize",
                                        "no"};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) BecomeServer(argv, folder_.c_str(), log, parent);
  close(log);
  if (child < 0) return base::ResourceExhausted("cannot start the demo: no more processes");
  pid_ = child;
  running_ = {port, static_cast<int64_t>(maxmemory_mb) << 20};
  for (int i = 0; i < kReadyTries && AliveLocked(); ++i) {
    if (Answers(port)) {
      logger_.Info("demo server: {} on port {}", program_, port);
      return running_;
    }
    std::this_thread::sleep_for(milliseconds(50));
  }
  std::string why = LastWords(log_file);
  StopLocked();
  return base::Unavailable(fmt::format("the demo server did not start: {}", why));
}

bool DemoServer::AliveLocked() {
  if (pid_ == 0) return false;
  if (waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = 0;
  return false;
}

void DemoServer::Stop() {
  std::lock_guard lock(mu_);
  StopLocked();
}

void DemoServer::StopLocked() {
  if (AliveLocked()) kill(pid_, SIGTERM);
  for (int i = 0; i < kStopTries && AliveLocked(); ++i) std::this_thread::sleep_for(milliseconds(25));
  if (pid_ != 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  std::error_code error;
  fs::remove_all(folder_, error);
}

std::string FindRedisServer(const std::string& named) {
  if (!named.empty()) return named;
  std::vector<std::string> folders;
  const char* cache = std::getenv("REDOUBT_CACHE");
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  std::string root = cache  ? cache
                     : xdg  ? fmt::format("{}/redoubt", xdg)
                     : home ? fmt::format("{}/.cache/redoubt", home)
                            : "";
  folders.push_back(root + "/servers/redis-7.0.15/bin");
  folders.push_back(root + "/servers/valkey-8.0/bin");
  std::string path = std::getenv("PATH") ? std::getenv("PATH") : "/usr/bin:/usr/local/bin";
  for (size_t from = 0; from <= path.size();) {
    size_t colon = std::min(path.find(':', from), path.size());
    folders.push_back(path.substr(from, colon - from));
    from = colon + 1;
  }
  for (const std::string& folder : folders) {
    for (const char* name : {"redis-server", "valkey-server"}) {
      std::string program = folder + "/" + name;
      if (!folder.empty() && access(program.c_str(), X_OK) == 0) return program;
    }
  }
  return {};
}

}  // namespace redoubt::api
