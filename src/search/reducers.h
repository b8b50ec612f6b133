#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string_view>

#include "base/status.h"
#include "search/value.h"

namespace redoubt::search {

enum class ReducerKind {
  kCount,
  kCountDistinct,
  kCountDistinctish,
  kSum,
  kMin,
  kMax,
  kAvg,
  kStdDev,
  kQuantile,
  kToList,
  kFirstValue,
  kRandomSample,
};

// By the name of REDUCE, in either case.
std::optional<ReducerKind> FindReducer(std::string_view name);
std::string_view ReducerName(ReducerKind kind);

inline constexpr size_t kMaxSample = 1000;

// What one REDUCE asks for.
struct ReducerSpec {
  ReducerKind kind = ReducerKind::kCount;
  size_t column = 0;                               // not for kCount
  double quantile = 0.5;                           // 0..1
  size_t sample = 0;                               // 1..kMaxSample
  std::optional<size_t> by_column = std::nullopt;  // of kFirstValue: the row with the least (or greatest) of these
  bool by_ascending = true;
};

// One REDUCE over the rows of one group. Numbers only count values that are or read as numbers; a group without any has
// 0 (a list: no elements, FIRST_VALUE: null). Not for several threads at once.
class Reducer {
 public:
  // `random` outlives it.
  static std::unique_ptr<Reducer> Create(const ReducerSpec& spec, std::mt19937_64& random);
  virtual ~Reducer() = default;
  virtual void Add(std::span<const Value> row) = 0;
  virtual Value Finish() = 0;

  // Instead of Finish(): what another reducer of the same kind takes up by Merge(), so that rows may be spread over
  // nodes. Texts within are bytes. The nodes run the same build: it holds hashes.
  virtual Value State() = 0;
  // Adds the rows that `state` stands for. DataLoss for what is no state of this kind.
  virtual base::Status Merge(const Value& state) = 0;
};

}  // namespace redoubt::search
