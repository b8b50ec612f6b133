#pragma once

#include <cstdint>
#include <functional>

#include "infer/backend_api.h"

namespace redoubt::backends::torch {

// Runs `body` on a thread with a stack of its own size and waits for it. TorchScript's compiler calls itself once per
// level of nesting, and source text from outside may be nested deeply. `body` must not throw.
void OnDeepStack(const redoubt_host& host, const std::function<void()>& body);

}  // namespace redoubt::backends::torch
