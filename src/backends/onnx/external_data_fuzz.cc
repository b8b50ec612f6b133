#include "backends/onnx/external_data.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)redoubt::backends::onnx::HasExternalData({data, size});
  return 0;
}
