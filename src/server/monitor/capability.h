#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/lang.h"

namespace redoubt::monitor {

// What the watched server lets our user do, found out by harmless calls at connect.
struct Capability {
  enum class State {
    kAllowed,
    kDenied,  // NOPERM, or a provider's refusal
    kAbsent,  // unknown command: too old, renamed or removed by the provider
  };

  std::string name;  // INFO, CONFIG, SLOWLOG, LATENCY, CLIENT LIST, CLUSTER, ACL LOG
  State state = State::kAllowed;
  std::string reply;                   // the server's refusal, word for word; empty when allowed
  std::vector<base::LocalText> costs;  // the diagnoses that are lost without it; empty when allowed
};

std::string_view CapabilityStateName(Capability::State state);  // "allowed", "denied", "absent"

struct Capabilities {
  std::vector<Capability> list;
  // One line to paste: the smallest user that has all of them; the password is left to fill in.
  std::string acl_line;
  // False for servers without ACL (before 6.0), where the line would be refused.
  bool acl_supported = false;

  // True when the capability was probed and allowed.
  bool Allows(std::string_view name) const;
};

}  // namespace redoubt::monitor
