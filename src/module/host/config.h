#pragma once

#include <functional>
#include <string>

#include "base/status.h"
#include "module/host/context.h"

namespace redoubt::host {

// `CONFIG SET ai.<name>` of the server. Names have no prefix and no dots here; the server puts "ai." in front.
struct NumberConfig {
  const char* name;
  int64_t default_value;
  int64_t min;
  int64_t max;
  bool only_at_start = false;            // cannot be changed while the server runs
  int64_t* value;                        // lives as long as the process
  std::function<void(int64_t)> changed;  // after `value` was set; may be empty
};

struct BoolConfig {
  const char* name;
  bool default_value;
  bool* value;
  std::function<void(bool)> changed = {};  // after `value` was set; may be empty
};

struct TextConfig {
  const char* name;
  const char* default_value;
  bool only_at_start = false;
  std::string* value;
};

// Within OnLoad, before LoadConfigs().
base::Status RegisterConfig(Context& ctx, NumberConfig config);
base::Status RegisterConfig(Context& ctx, BoolConfig config);
base::Status RegisterConfig(Context& ctx, TextConfig config);
// Applies what redis.conf and the command line say. Once, after all were registered.
base::Status LoadConfigs(Context& ctx);

}  // namespace redoubt::host
