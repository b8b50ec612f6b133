#include "server/front.h"

#include <fmt/core.h>

#include <fstream>

namespace redoubt {

using base::Result;

Result<std::string> FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) return base::NotFound(fmt::format("cannot read {}", path));
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  return line;
}

Result<Front> ReadFront(const config::Settings& settings) {
  Front front;
  front.access.token = settings.Text("token");
  if (const std::string& file = settings.Text("token-file"); !file.empty()) {
    ASSIGN_OR_RETURN(front.access.token, FirstLine(file));
    if (front.access.token.empty())
      return base::InvalidArgument(fmt::format("--token-file {}: the first line is empty", file));
  }
  bool cert = !settings.Text("tls-cert").empty();
  if (cert != !settings.Text("tls-key").empty())
    return base::InvalidArgument("--tls-cert and --tls-key belong together: give both");
  front.access.tls = cert;
  front.access.behind_proxy = settings.On("behind-proxy");
  front.access.allowed_hosts = settings.List("allow-host");
  for (const char* name : {"http", "ui"}) {
    if (settings.Text(name) == "off") continue;
    Result<http::Address> address = http::ParseAddress(settings.Text(name));
    if (!address.ok()) return base::InvalidArgument(fmt::format("--{}: {}", name, address.status().message()));
    RETURN_IF_ERROR(http::CheckExposure(*address, front.access));
    front.listen.push_back(std::move(*address));
  }
  if (front.listen.empty()) return base::InvalidArgument("--http off and --ui off leave nothing to serve");
  return front;
}

http::ServerOptions ReadServerOptions(const config::Settings& settings, std::vector<http::Address> listen) {
  http::ServerOptions options;
  options.listen = std::move(listen);
  options.tls_cert = settings.Text("tls-cert");
  options.tls_key = settings.Text("tls-key");
  options.max_connections = static_cast<size_t>(settings.Number("max-connections"));
  options.quick_threads = static_cast<size_t>(settings.Number("threads"));
  options.quick_queue = static_cast<size_t>(settings.Number("queue"));
  return options;
}

std::vector<std::string> ReadAllowedFaults(const config::Settings& settings) {
  std::vector<std::string> allowed = settings.List("allow-test-faults");
  for (std::string& address : allowed) {
    if (address.starts_with("localhost:")) address.replace(0, 9, "127.0.0.1");
  }
  return allowed;
}

}  // namespace redoubt
