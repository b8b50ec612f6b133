#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "server/config/settings.h"
#include "server/http/access.h"
#include "server/http/server.h"

namespace redoubt {

// Where the assistant listens and who may call it.
struct Front {
  std::vector<http::Address> listen;
  http::AccessOptions access;
};

// Refuses, with the way out, what would open the assistant to others by mistake.
base::Result<Front> ReadFront(const config::Settings& settings);
http::ServerOptions ReadServerOptions(const config::Settings& settings, std::vector<http::Address> listen);

// "host:port" as --allow-test-faults lists them, localhost as 127.0.0.1.
std::vector<std::string> ReadAllowedFaults(const config::Settings& settings);

// A secret in a file of its own.
base::Result<std::string> FirstLine(const std::string& path);

}  // namespace redoubt
