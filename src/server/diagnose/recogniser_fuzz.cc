// Any bytes through recogniser, redaction and facts: what a user may paste.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/diagnose/facts.h"
#include "server/diagnose/recogniser.h"
#include "server/diagnose/redact.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt::diagnose;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Recognised text = Recognise(Redact(bytes));
  Facts facts(text, nullptr, nullptr);
  for (const char* field :
       {"used_memory", "errorstat_OOM.count", "slave_lag_max", "config.timeout", "slowlog_max_us"}) {
    (void)facts.Now(field);
  }
  return 0;
}
