#include <stdexcept>

#include "backends/onnx/model_scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt::backends::onnx;  // NOLINT(google-build-using-namespace)
  try {
    if (HasExternalData({data, size})) return 0;
  } catch (const std::invalid_argument&) {
    return 0;
  }
  (void)WeightBytes({data, size});
  (void)Opset({data, size});
  return 0;
}
