#include <stdexcept>

#include "backends/tf/archive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt::backends::tf;  // NOLINT: the one function outside of the namespace
  const PrivateFolder folder;
  try {
    (void)Unpack({data, size}, folder.path(), 1 << 20);
  } catch (const std::invalid_argument&) {
    return 0;  // what it says of damaged and of hostile archives
  }
  return 0;
}
