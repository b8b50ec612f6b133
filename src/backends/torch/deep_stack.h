#pragma once

#include <cstdint>
#include <functional>

#include "infer/backend_api.h"

namespace redoubt::backends::torch {

// Runs `body` where the stack is deep: here, when this thread has such a stack, as the host's workers do; else on a
// thread of its own, waiting for it. TorchScript calls itself once per level of nesting, of source that it compiles and
// of values that it frees, and both come from outside. What `body` took of the stack is given back. `body` must not
// throw.
void OnDeepStack(const redoubt_host& host, const std::function<void()>& body);

// Once, before the first task: what a model starts by torch.jit.fork runs on a deep stack too, instead of that of
// libtorch's own thread.
void RunTasksOnDeepStacks(const redoubt_host& host);

}  // namespace redoubt::backends::torch
