#include "backends/tf/runtime.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "backends/common/protobuf.h"

namespace redoubt::backends::tf {
namespace {

// Ops with a state that does not hold tensors of the caller. Sorted.
constexpr auto kKeepNothing = std::to_array<std::string_view>({
    "Assert",
    "Case",
    "CheckNumerics",
    "CheckNumericsV2",
    "DisableCopyOnRead",
    "GuaranteeConst",
    "HashTable",
    "HashTableV2",
    "If",
    "LookupTableFindV2",
    "LookupTableSizeV2",
    "Multinomial",
    "RandomStandardNormal",
    "RandomUniform",
    "RandomUniformInt",
    "ReadVariableOp",
    "StatefulPartitionedCall",
    "TruncatedNormal",
    "VarHandleOp",
    "VarIsInitializedOp",
    "VariableShape",
    "While",
});
static_assert(std::is_sorted(kKeepNothing.begin(), kKeepNothing.end()));

// The names of all ops that TensorFlow says have a state (OpList.op, OpDef.name, OpDef.is_stateful).
std::set<std::string, std::less<>> StatefulOps() {
  const std::unique_ptr<TF_Buffer, decltype(&TF_DeleteBuffer)> list(TF_GetAllOpList(), &TF_DeleteBuffer);
  std::set<std::string, std::less<>> names;
  ForEachBytes({static_cast<const uint8_t*>(list->data), list->length}, [&](const Field& op) {
    MessageReader reader(op.bytes);
    Field field;
    std::string_view name;
    bool stateful = false;
    while (reader.Next(&field)) {
      if (field.number == 1 && field.is_bytes) name = TextOf(field.bytes);
      if (field.number == 17) stateful = field.varint != 0;
    }
    if (stateful) names.emplace(name);
  });
  return names;
}

// ConfigProto: intra_op_parallelism_threads = 2, inter_op_parallelism_threads = 5, allow_soft_placement = 7.
std::string Config(const redoubt_host& host) {
  std::string config = VarintField(7, 1);
  if (host.intra_op_threads > 0) config += VarintField(2, static_cast<uint64_t>(host.intra_op_threads));
  if (host.inter_op_threads > 0) config += VarintField(5, static_cast<uint64_t>(host.inter_op_threads));
  return config;
}

}  // namespace

int32_t Fail(redoubt_error* error, redoubt_code code, const std::string& message) {
  std::snprintf(error->message, sizeof error->message, "%s", message.c_str());
  return code;
}

Runtime::Runtime(const redoubt_host* host) : config_(Config(*host)), stateful_ops_(StatefulOps()) {}

Runtime::Options Runtime::SessionOptions() const {
  Options options(TF_NewSessionOptions(), &TF_DeleteSessionOptions);
  Status status;
  TF_SetConfig(options.get(), config_.data(), config_.size(), status.get());
  status.Check();
  return options;
}

bool Runtime::MayKeepInputs(std::string_view op) const {
  return stateful_ops_.contains(op) && !std::binary_search(kKeepNothing.begin(), kKeepNothing.end(), op);
}

// RunOptions: timeout_in_ms = 2.
std::string RunOptionsFor(int64_t limit_ms) {
  return limit_ms > 0 ? VarintField(2, static_cast<uint64_t>(limit_ms)) : std::string();
}

}  // namespace redoubt::backends::tf
