#include <stdexcept>

#include "backends/tf/saved_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt::backends::tf;  // NOLINT: the one function outside of the namespace
  try {
    CheckSavedModel(ReadSavedModel({data, size}), {"y"});
  } catch (const std::invalid_argument&) {
    return 0;  // what it says of damaged and of hostile models
  }
  return 0;
}
