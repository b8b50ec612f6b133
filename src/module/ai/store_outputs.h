#pragma once

#include <span>
#include <vector>

#include "base/status.h"
#include "infer/batch.h"
#include "module/host/acl.h"
#include "module/host/context.h"
#include "module/host/key.h"

namespace redoubt::ai {

// Writes the results of a run to their keys, all or none, and sends each as AI.TENSORSET to replicas and the AOF: what
// a run does is replicated, never the run. Checks the world first: time has passed since the command came.
base::Status StoreOutputs(host::Context& effects, const host::Caller& caller, std::span<const host::String> names,
                          const infer::Tensors& outputs);

}  // namespace redoubt::ai
