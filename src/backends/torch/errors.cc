#include "backends/torch/errors.h"

#include <c10/util/Exception.h>

#include <cstdio>

namespace redoubt::backends::torch {

int32_t Fail(redoubt_error* error, redoubt_code code, std::string_view message) {
  constexpr size_t kRoom = sizeof error->message - 1;
  const bool cut = message.size() > kRoom;
  constexpr std::string_view kCut = "... ";
  if (cut) message.remove_prefix(message.size() - (kRoom - kCut.size()));
  std::snprintf(error->message, sizeof error->message, "%s%.*s", cut ? kCut.data() : "",
                static_cast<int>(message.size()), message.data());
  return code;
}

int32_t Fail(redoubt_error* error, redoubt_code code, const std::exception& e) {
  const auto* ours = dynamic_cast<const c10::Error*>(&e);
  const std::string_view text = ours != nullptr ? ours->what_without_backtrace() : e.what();
  // DefaultCPUAllocator's words; it throws no type of its own for it.
  if (text.find("DefaultCPUAllocator: ") != std::string_view::npos) code = REDOUBT_OUT_OF_MEMORY;
  return Fail(error, code, text);
}

}  // namespace redoubt::backends::torch
