#include "module/ai/model_value.h"
#include "module/ai/script_value.h"
#include "module/ai/tensor_rdb.h"
#include "module/host/fuzz_reader.h"

// Input: which value, its version, then fields.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  redoubt::host::FuzzReader reader(data + 2, size - 2);
  const int version = data[1] % 7;
  if (data[0] % 3 == 0) {
    (void)redoubt::ai::LoadScriptSource(reader, version);
  } else if (data[0] % 3 == 1) {
    (void)redoubt::ai::LoadTensor(reader, version, redoubt::base::DefaultMemory());
  } else {
    (void)redoubt::ai::LoadModelSource(reader, version, redoubt::base::DefaultMemory());
  }
  return 0;
}
