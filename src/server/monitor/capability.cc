#include "server/monitor/capability.h"

#include <algorithm>

namespace redoubt::monitor {

std::string_view CapabilityStateName(Capability::State state) {
  switch (state) {
    case Capability::State::kAllowed:
      return "allowed";
    case Capability::State::kDenied:
      return "denied";
    case Capability::State::kAbsent:
      return "absent";
  }
  return "absent";
}

bool Capabilities::Allows(std::string_view name) const {
  return std::any_of(list.begin(), list.end(), [&](const Capability& capability) {
    return capability.name == name && capability.state == Capability::State::kAllowed;
  });
}

}  // namespace redoubt::monitor
