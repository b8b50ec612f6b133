#include "infer/device.h"

#include <fmt/core.h>

#include <cctype>

namespace redoubt::infer {

base::Result<std::string> NormalizeDevice(std::string_view device) {
  std::string name(device);
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto bad = [&] {
    return base::InvalidArgument(fmt::format("'{}' is not a device: CPU, GPU, CPU:<n> or GPU:<n>", device));
  };
  if (name.size() < 3 || name.size() >= 10) return bad();
  if (!name.starts_with("CPU") && !name.starts_with("GPU")) return bad();
  if (name.size() == 3) return name;
  if (name[3] != ':' || name.size() == 4) return bad();
  for (size_t i = 4; i < name.size(); ++i) {
    if (std::isdigit(static_cast<unsigned char>(name[i])) == 0) return bad();
  }
  while (name[4] == '0' && name.size() > 5) name.erase(4, 1);
  return name;
}

}  // namespace redoubt::infer
