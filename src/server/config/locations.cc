#include "server/config/locations.h"

#include <filesystem>

namespace redoubt::config {

Locations FindLocations(const Settings& settings) {
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  std::filesystem::path root = program.parent_path().parent_path();
  auto choose = [&](std::string_view setting, const char* beside) {
    const std::string& named = settings.Text(setting);
    return named.empty() ? (root / beside).string() : named;
  };
  return {choose("knowledge", "share/redoubt/knowledge"), choose("model", "share/redoubt/models/embedding"),
          choose("backends", "lib/backends"), choose("web", "share/redoubt/web")};
}

}  // namespace redoubt::config
