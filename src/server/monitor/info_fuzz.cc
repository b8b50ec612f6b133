// libFuzzer: whatever bytes come as INFO or CLIENT LIST, reading them neither crashes nor reads beyond them.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/monitor/info.h"
#include "server/monitor/replies.h"
#include "server/monitor/sample.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using redoubt::monitor::InfoFields;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  InfoFields info = InfoFields::Parse(text);
  for (InfoFields::Field field : info) {
    // What is listed must be found again, with the same value.
    if (info.Text(field.name) != field.value) __builtin_trap();
    (void)info.Number(field.name);
    (void)info.Sub(field.name, "keys");
  }
  if (info.size() > 0) {
    info.Set(info.at(0).name, text.substr(0, size / 2));
    info.Set("fuzz_added", info.at(0).value);
    if (info.Text("fuzz_added") != info.at(0).value) __builtin_trap();
  }
  (void)redoubt::monitor::ReadClientList(text);
  (void)redoubt::monitor::CompoundValue(text, "a");
  return 0;
}
