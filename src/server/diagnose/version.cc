#include "server/diagnose/version.h"

#include <array>
#include <charconv>

namespace redoubt::diagnose {
namespace {

std::array<int, 3> PartsOf(std::string_view version) {
  std::array<int, 3> parts = {0, 0, 0};
  for (int& part : parts) {
    auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), part);
    if (error != std::errc()) break;
    version.remove_prefix(static_cast<size_t>(end - version.data()));
    if (version.empty() || version.front() != '.') break;
    version.remove_prefix(1);
  }
  return parts;
}

}  // namespace

bool VersionBelow(std::string_view version, std::string_view floor) { return PartsOf(version) < PartsOf(floor); }

}  // namespace redoubt::diagnose
