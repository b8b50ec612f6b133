#include "search/knn_attributes.h"

#include <fmt/core.h>

#include "search/args.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using base::OkStatus;

std::optional<size_t> Positive(std::string_view text) {
  const std::optional<size_t> value = ParseSize(text);
  return value.value_or(0) > 0 ? value : std::nullopt;
}

std::optional<double> Above0(std::string_view text) {
  const std::optional<double> value = ParseDouble(text);
  return value.value_or(0) > 0 ? value : std::nullopt;
}

// A value that is missing was no good.
template <class Value>
Status Take(std::string_view key, std::optional<Value> value, std::optional<Value>& attribute) {
  if (!value) return BadVectorParameter("Invalid value was given");
  if (attribute) return BadVectorParameter(fmt::format("{} was given twice", key));
  attribute = value;
  return OkStatus();
}

Status TakeName(std::string_view key, std::string_view name, std::string& attribute) {
  if (!attribute.empty()) return BadVectorParameter(fmt::format("{} was given twice", key));
  attribute = name;
  return OkStatus();
}

}  // namespace

Status BadVectorParameter(std::string_view why) {
  return InvalidArgument(fmt::format("Error parsing vector similarity parameters: {}", why));
}

Status KnnAttributes::ParseBrackets(QueryScanner& scan) {
  while (!scan.Take("]")) {
    scan.SkipSpace();
    const std::string key = ToUpper(scan.Name());
    if (key.empty()) return scan.SyntaxError();
    ASSIGN_OR_RETURN(std::string_view value, scan.Value());
    RETURN_IF_ERROR(key == "AS" ? TakeName(key, value, as_) : Set(key, value));
  }
  return OkStatus();
}

Status KnnAttributes::ParseBraces(QueryScanner& scan) {
  RETURN_IF_ERROR(scan.Expect("{"));
  while (!scan.Take("}")) {
    RETURN_IF_ERROR(scan.Expect("$"));
    const std::string key = ToUpper(scan.Name());
    RETURN_IF_ERROR(scan.Expect(":"));
    ASSIGN_OR_RETURN(std::string_view value, scan.Value());
    RETURN_IF_ERROR(key == "YIELD_DISTANCE_AS" ? TakeName(key, value, yield_distance_as_) : Set(key, value));
    if (!scan.Take(";") && (scan.SkipSpace(), scan.Peek()) != '}') return scan.SyntaxError();
  }
  return OkStatus();
}

Status KnnAttributes::Set(std::string_view key, std::string_view value) {
  if (key == "HYBRID_POLICY") return SetPolicy(value);
  if (key == "BATCH_SIZE") return Take(key, Positive(value), batch_size_);
  if (key == "EF_RUNTIME") return Take(key, Positive(value), ef_runtime_);
  if (key == "EPSILON") return Take(key, Above0(value), epsilon_);
  if (key == "SHARD_K_RATIO") {
    std::optional<double> ratio = Above0(value);
    if (ratio && *ratio > 1) ratio.reset();
    return Take(key, ratio, shard_k_ratio_);
  }
  return BadVectorParameter("Invalid option");
}

Status KnnAttributes::SetPolicy(std::string_view value) {
  std::optional<Policy> policy;
  if (EqualsIgnoringCase(value, "BATCHES")) policy = Policy::kBatches;
  if (EqualsIgnoringCase(value, "ADHOC_BF")) policy = Policy::kAdhoc;
  if (!policy) return BadVectorParameter("invalid hybrid policy was given");
  return Take("HYBRID_POLICY", policy, policy_);
}

// Every policy gives the same answer here, which does not depend on batches: they are only checked.
Status KnnAttributes::Check(bool filtered) const {
  if (!filtered && (policy_ || batch_size_)) {
    return BadVectorParameter("hybrid query attributes were sent for a non-hybrid query");
  }
  if (policy_ == Policy::kAdhoc && batch_size_) {
    return BadVectorParameter("'batch size' is irrelevant for 'ADHOC_BF' policy");
  }
  if (policy_ == Policy::kAdhoc && ef_runtime_) {
    return BadVectorParameter("'EF_RUNTIME' is irrelevant for 'ADHOC_BF' policy");
  }
  if (!as_.empty() && !yield_distance_as_.empty()) {
    return InvalidArgument(
        fmt::format("Distance field was specified twice for vector query: {} and {}", as_, yield_distance_as_));
  }
  return OkStatus();
}

}  // namespace redoubt::search
