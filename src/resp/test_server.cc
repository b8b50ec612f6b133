#include "resp/test_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace redoubt::resp {
namespace {

std::string CacheFolder() {
  if (const char* cache = getenv("REDOUBT_CACHE")) return cache;
  if (const char* cache = getenv("XDG_CACHE_HOME")) return std::string(cache) + "/redoubt";
  const char* home = getenv("HOME");
  return std::string(home == nullptr ? "/root" : home) + "/.cache/redoubt";
}

// An authority, a certificate for localhost and one for a client, good for a day.
bool MakeCertificates(const std::string& folder) {
  const std::string script =
      "cd '" + folder +
      "' && exec >/dev/null 2>&1 && "
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=test-ca "
      "-keyout ca.key -out ca.crt && "
      "for name in server client; do openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
      "-subj /CN=localhost -keyout $name.key -out $name.csr && "
      "printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' >$name.ext && "
      "openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile $name.ext "
      "-out $name.crt; done";
  return system(script.c_str()) == 0;
}

}  // namespace

int FreePort() {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

std::string TestServer::Binary(Engine engine) {
  return CacheFolder() + (engine == Engine::kRedis ? "/servers/redis-7.0.15/bin/redis-server"
                                                   : "/servers/valkey-8.0/bin/valkey-server");
}

std::unique_ptr<TestServer> TestServer::Start(Options options) {
  std::unique_ptr<TestServer> server(new TestServer());
  server->options_ = std::move(options);
  char folder[] = "/tmp/redoubt-test-XXXXXX";
  if (mkdtemp(folder) == nullptr) {
    ADD_FAILURE() << "no temporary folder";
    return nullptr;
  }
  server->folder_ = folder;
  if (server->options_.tls && !MakeCertificates(folder)) {
    ADD_FAILURE() << "openssl could not make the test's certificates";
    return nullptr;
  }
  // Another process may take a free port before the server does.
  for (int attempt = 0; attempt < 3; ++attempt) {
    server->port_ = server->options_.port != 0 ? server->options_.port : FreePort();
    if (server->Spawn()) return server;
  }
  ADD_FAILURE() << Binary(server->options_.engine) << " did not start; run tools/setup/fetch";
  return nullptr;
}

TestServer::~TestServer() {
  if (pid_ > 0) Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool TestServer::Spawn() {
  std::string port = std::to_string(port_);
  std::vector<std::string> arguments = {
      Binary(options_.engine), "--bind", "127.0.0.1", "--dir", folder_, "--save", "", "--logfile",
      folder_ + "/server.log"};
  if (options_.tls) {
    for (std::string value : {"--port", "0", "--tls-port", port.c_str()}) arguments.push_back(value);
    for (std::string name : {"--tls-cert-file", "--tls-key-file", "--tls-ca-cert-file"}) {
      const char* file = name == "--tls-cert-file"  ? "/server.crt"
                         : name == "--tls-key-file" ? "/server.key"
                                                    : "/ca.crt";
      arguments.push_back(name);
      arguments.push_back(folder_ + file);
    }
  } else {
    arguments.insert(arguments.end(), {"--port", port});
  }
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    execv(argv[0], argv.data());
    _exit(127);
  }
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < deadline) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    ConnectFailure failure{};
    if (Client::Connect(connect_options(), &failure).ok() || failure == ConnectFailure::kAuthNeeded) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  Kill();
  return false;
}

ConnectOptions TestServer::connect_options() const {
  ConnectOptions options;
  options.host = "127.0.0.1";
  options.port = port_;
  options.client_name = "test";
  if (options_.tls)
    options.tls = TlsOptions{folder_ + "/ca.crt", folder_ + "/client.crt", folder_ + "/client.key", "", false};
  return options;
}

Reply TestServer::Call(std::initializer_list<std::string_view> argv) const {
  auto client = Client::Connect(connect_options());
  if (!client.ok()) return Reply::Error(client.status().message());
  auto reply = (*client)->Command(argv);
  return reply.ok() ? *reply : Reply::Error(reply.status().message());
}

void TestServer::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void TestServer::Pause() { kill(pid_, SIGSTOP); }
void TestServer::Resume() { kill(pid_, SIGCONT); }

bool TestServer::Restart() {
  Kill();
  return Spawn();
}

}  // namespace redoubt::resp
