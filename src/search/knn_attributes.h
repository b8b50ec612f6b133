#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "search/query_scanner.h"

namespace redoubt::search {

// What a KNN may say beside k, field and vector: in brackets as `NAME value`, in braces as `$NAME: value;`, once.
class KnnAttributes {
 public:
  // "EF_RUNTIME 10 AS d]" and "{$EF_RUNTIME: 10; $YIELD_DISTANCE_AS: d}": to the closing bracket or brace.
  base::Status ParseBrackets(QueryScanner& scan);
  base::Status ParseBraces(QueryScanner& scan);
  // `filtered`: anything but `*` stands before the KNN; policies and batches only mean something then.
  base::Status Check(bool filtered) const;

  // The name of the distance; empty where it was not given.
  std::string_view distance_name() const { return as_.empty() ? yield_distance_as_ : as_; }
  std::optional<size_t> ef_runtime() const { return ef_runtime_; }
  std::optional<double> shard_k_ratio() const { return shard_k_ratio_; }

 private:
  enum class Policy { kBatches, kAdhoc };

  base::Status Set(std::string_view key, std::string_view value);
  base::Status SetPolicy(std::string_view value);

  std::string as_;
  std::string yield_distance_as_;
  std::optional<Policy> policy_;
  std::optional<size_t> batch_size_;
  std::optional<size_t> ef_runtime_;
  std::optional<double> epsilon_;
  std::optional<double> shard_k_ratio_;
};

// "Error parsing vector similarity parameters: <why>"
base::Status BadVectorParameter(std::string_view why);

}  // namespace redoubt::search
