#include "base/contained_path.h"

#include <fmt/core.h>

#include <filesystem>
#include <system_error>

namespace redoubt::base {

Result<std::string> ContainedPath(const std::string& directory, const std::string& path) {
  std::error_code error;
  const std::filesystem::path root = std::filesystem::canonical(directory, error);
  if (error) return NotFound(fmt::format("directory {}: {}", directory, error.message()));
  const std::filesystem::path wanted = std::filesystem::path(directory) / path;
  const std::filesystem::path file = std::filesystem::canonical(wanted, error);
  if (error) return NotFound(fmt::format("{}: {}", wanted.string(), error.message()));
  const std::filesystem::path inside = file.lexically_relative(root);
  if (inside.empty() || *inside.begin() == "..") {
    return PermissionDenied(fmt::format("{} lies outside of {}", path, directory));
  }
  return file.string();
}

}  // namespace redoubt::base
