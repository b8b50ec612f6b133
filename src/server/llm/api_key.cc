#include <fmt/core.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "server/llm/provider.h"

namespace redoubt::llm {

base::Result<std::string> ReadApiKey(const std::string& file, const std::string& variable) {
  if (file.empty()) {
    const char* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
    return std::string(value == nullptr ? "" : value);
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return base::NotFound(fmt::format("cannot read the language model's key from '{}'", file));
  std::string key(std::istreambuf_iterator<char>(stream), {});
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' ')) key.pop_back();
  if (key.empty()) return base::InvalidArgument(fmt::format("the key file '{}' is empty", file));
  return key;
}

}  // namespace redoubt::llm
