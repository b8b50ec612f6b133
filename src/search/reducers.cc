#include "search/reducers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_set>
#include <utility>
#include <vector>

#include "search/args.h"

namespace redoubt::search {
namespace {

using Row = std::span<const Value>;

constexpr std::array kNames = {
    std::pair(std::string_view("COUNT"), ReducerKind::kCount),
    std::pair(std::string_view("COUNT_DISTINCT"), ReducerKind::kCountDistinct),
    std::pair(std::string_view("COUNT_DISTINCTISH"), ReducerKind::kCountDistinctish),
    std::pair(std::string_view("SUM"), ReducerKind::kSum),
    std::pair(std::string_view("MIN"), ReducerKind::kMin),
    std::pair(std::string_view("MAX"), ReducerKind::kMax),
    std::pair(std::string_view("AVG"), ReducerKind::kAvg),
    std::pair(std::string_view("STDDEV"), ReducerKind::kStdDev),
    std::pair(std::string_view("QUANTILE"), ReducerKind::kQuantile),
    std::pair(std::string_view("TOLIST"), ReducerKind::kToList),
    std::pair(std::string_view("FIRST_VALUE"), ReducerKind::kFirstValue),
    std::pair(std::string_view("RANDOM_SAMPLE"), ReducerKind::kRandomSample),
};

bool HasValue(const Value& value) { return !value.missing() && !value.null(); }

// A list counts as its elements.
template <class Function>
void ForEachValue(const Value& value, Function&& function) {
  if (value.list() != nullptr) {
    for (const Value& element : *value.list()) ForEachValue(element, function);
  } else if (HasValue(value)) {
    function(value);
  }
}

base::Status NoState() { return base::DataLoss("a node sent a reducer's state that cannot be read"); }

// Numbers side by side, as this processor has them: nodes of one cluster have the same.
template <class T>
Value Pack(const std::vector<T>& items) {
  std::string bytes(items.size() * sizeof(T), '\0');
  if (!items.empty()) std::memcpy(bytes.data(), items.data(), bytes.size());
  return Value(std::move(bytes));
}

template <class T>
std::optional<std::vector<T>> Unpack(const Value& state) {
  if (state.text() == nullptr || state.text()->size() % sizeof(T) != 0) return std::nullopt;
  std::vector<T> items(state.text()->size() / sizeof(T));
  if (!items.empty()) std::memcpy(items.data(), state.text()->data(), state.text()->size());
  return items;
}

// The list's elements, when it has `size`.
const Values* Elements(const Value& state, size_t size) {
  return state.list() != nullptr && state.list()->size() == size ? state.list() : nullptr;
}

class CountReducer final : public Reducer {
 public:
  void Add(Row /*row*/) override { ++count_; }
  Value Finish() override { return Value(static_cast<double>(count_)); }
  Value State() override { return Finish(); }
  base::Status Merge(const Value& state) override {
    if (state.number() == nullptr || !(*state.number() >= 0)) return NoState();
    count_ += static_cast<size_t>(*state.number());
    return base::OkStatus();
  }

 private:
  size_t count_ = 0;
};

// SUM, MIN, MAX, AVG and STDDEV: mean and variance by Welford's recurrence, which does not cancel.
class NumberReducer final : public Reducer {
 public:
  explicit NumberReducer(const ReducerSpec& spec) : spec_(spec) {}

  void Add(Row row) override {
    std::optional<double> number = row[spec_.column].ToNumber();
    if (!number) return;
    least_ = count_ == 0 ? *number : std::min(least_, *number);
    most_ = count_ == 0 ? *number : std::max(most_, *number);
    sum_ += *number;
    ++count_;
    double difference = *number - mean_;
    mean_ += difference / static_cast<double>(count_);
    squares_ += difference * (*number - mean_);
  }

  Value Finish() override {
    switch (spec_.kind) {
      case ReducerKind::kMin:
        return Value(least_);
      case ReducerKind::kMax:
        return Value(most_);
      case ReducerKind::kAvg:
        return Value(count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_));
      case ReducerKind::kStdDev:
        return Value(count_ < 2 ? 0.0 : std::sqrt(squares_ / static_cast<double>(count_ - 1)));
      default:
        return Value(sum_);
    }
  }

  Value State() override { return Pack<double>({static_cast<double>(count_), sum_, least_, most_, mean_, squares_}); }

  // Two means and variances as one (Chan, Golub and LeVeque 1979).
  base::Status Merge(const Value& state) override {
    const std::optional<std::vector<double>> other = Unpack<double>(state);
    if (!other || other->size() != 6 || !((*other)[0] >= 0)) return NoState();
    const double added = (*other)[0];
    if (added == 0) return base::OkStatus();
    const auto count = static_cast<double>(count_);
    const double difference = (*other)[4] - mean_;
    least_ = count_ == 0 ? (*other)[2] : std::min(least_, (*other)[2]);
    most_ = count_ == 0 ? (*other)[3] : std::max(most_, (*other)[3]);
    sum_ += (*other)[1];
    squares_ += (*other)[5] + difference * difference * count * added / (count + added);
    mean_ += difference * added / (count + added);
    count_ += static_cast<size_t>(added);
    return base::OkStatus();
  }

 private:
  const ReducerSpec spec_;
  size_t count_ = 0;
  double sum_ = 0;
  double least_ = 0;
  double most_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

// Exact: keeps all numbers of the group.
class QuantileReducer final : public Reducer {
 public:
  explicit QuantileReducer(const ReducerSpec& spec) : spec_(spec) {}

  void Add(Row row) override {
    std::optional<double> number = row[spec_.column].ToNumber();
    if (number && !std::isnan(*number)) numbers_.push_back(*number);
  }

  Value Finish() override {
    if (numbers_.empty()) return Value(0.0);
    double rank = std::ceil(spec_.quantile * static_cast<double>(numbers_.size()));
    size_t at = std::min(numbers_.size() - 1, static_cast<size_t>(std::max(rank, 1.0)) - 1);
    std::nth_element(numbers_.begin(), numbers_.begin() + static_cast<ptrdiff_t>(at), numbers_.end());
    return Value(numbers_[at]);
  }

  Value State() override { return Pack(numbers_); }
  base::Status Merge(const Value& state) override {
    const std::optional<std::vector<double>> other = Unpack<double>(state);
    if (!other) return NoState();
    numbers_.insert(numbers_.end(), other->begin(), other->end());
    return base::OkStatus();
  }

 private:
  const ReducerSpec spec_;
  std::vector<double> numbers_;
};

class CountDistinctReducer final : public Reducer {
 public:
  explicit CountDistinctReducer(const ReducerSpec& spec) : column_(spec.column) {}
  void Add(Row row) override {
    ForEachValue(row[column_], [&](const Value& value) { seen_.insert(value.Hash()); });
  }
  Value Finish() override { return Value(static_cast<double>(seen_.size())); }
  Value State() override { return Pack(std::vector<uint64_t>(seen_.begin(), seen_.end())); }
  base::Status Merge(const Value& state) override {
    const std::optional<std::vector<uint64_t>> other = Unpack<uint64_t>(state);
    if (!other) return NoState();
    seen_.insert(other->begin(), other->end());
    return base::OkStatus();
  }

 private:
  const size_t column_;
  std::unordered_set<uint64_t> seen_;
};

// Exact for few, then an estimate (HyperLogLog, Flajolet et al. 2007) from 4 KiB: within 2 % as a rule.
class CountDistinctishReducer final : public Reducer {
 public:
  explicit CountDistinctishReducer(const ReducerSpec& spec) : column_(spec.column) {}

  void Add(Row row) override {
    ForEachValue(row[column_], [&](const Value& value) { AddHash(value.Hash()); });
  }

  Value Finish() override { return Value(registers_.empty() ? static_cast<double>(seen_.size()) : Estimate()); }

  // The hashes, or a list of the registers: merged they are those of all rows.
  Value State() override {
    if (registers_.empty()) return Pack(std::vector<uint64_t>(seen_.begin(), seen_.end()));
    return Value(Values{Pack(registers_)});
  }

  base::Status Merge(const Value& state) override {
    if (const Values* list = Elements(state, 1)) return MergeRegisters((*list)[0]);
    const std::optional<std::vector<uint64_t>> hashes = Unpack<uint64_t>(state);
    if (!hashes) return NoState();
    for (uint64_t hash : *hashes) AddHash(hash);
    return base::OkStatus();
  }

 private:
  static constexpr int kBits = 12;
  static constexpr size_t kRegisters = size_t{1} << kBits;
  static constexpr size_t kExactUpTo = 512;

  void AddHash(uint64_t hash) {
    if (!registers_.empty()) return Register(hash);
    seen_.insert(hash);
    if (seen_.size() > kExactUpTo) Estimated();
  }

  // From here on without the hashes themselves.
  void Estimated() {
    registers_.resize(kRegisters);
    for (uint64_t old : seen_) Register(old);
    seen_.clear();
  }

  base::Status MergeRegisters(const Value& state) {
    const std::optional<std::vector<uint8_t>> other = Unpack<uint8_t>(state);
    if (!other || other->size() != kRegisters) return NoState();
    if (registers_.empty()) Estimated();
    for (size_t i = 0; i < kRegisters; ++i) registers_[i] = std::max(registers_[i], (*other)[i]);
    return base::OkStatus();
  }

  void Register(uint64_t hash) {
    size_t at = hash >> (64 - kBits);
    auto rank = static_cast<uint8_t>(std::countl_zero((hash << kBits) | (uint64_t{1} << (kBits - 1))) + 1);
    registers_[at] = std::max(registers_[at], rank);
  }

  double Estimate() const {
    constexpr double kCount = kRegisters;
    double sum = 0;
    double empty = 0;
    for (uint8_t rank : registers_) {
      sum += std::ldexp(1.0, -rank);
      empty += rank == 0 ? 1 : 0;
    }
    double estimate = 0.7213 / (1 + 1.079 / kCount) * kCount * kCount / sum;
    if (estimate <= 2.5 * kCount && empty > 0) estimate = kCount * std::log(kCount / empty);
    return std::round(estimate);
  }

  const size_t column_;
  std::unordered_set<uint64_t> seen_;
  std::vector<uint8_t> registers_;
};

// Each value once, in the order in which they came.
class ToListReducer final : public Reducer {
 public:
  explicit ToListReducer(const ReducerSpec& spec) : column_(spec.column) {}
  void Add(Row row) override { AddValues(row[column_]); }
  Value Finish() override { return Value(std::move(values_)); }
  Value State() override { return Finish(); }
  base::Status Merge(const Value& state) override {
    if (state.list() == nullptr) return NoState();
    AddValues(state);
    return base::OkStatus();
  }

 private:
  void AddValues(const Value& values) {
    ForEachValue(values, [&](const Value& value) {
      std::string key;
      value.AppendKey(key);
      if (seen_.insert(std::move(key)).second) values_.push_back(value);
    });
  }

  const size_t column_;
  std::unordered_set<std::string> seen_;
  Values values_;
};

class FirstValueReducer final : public Reducer {
 public:
  explicit FirstValueReducer(const ReducerSpec& spec) : spec_(spec) {}

  void Add(Row row) override {
    if (!spec_.by_column) {
      if (!HasValue(first_) && HasValue(row[spec_.column])) first_ = row[spec_.column];
      return;
    }
    AddBy(row[spec_.column], row[*spec_.by_column]);
  }

  Value Finish() override { return HasValue(first_) ? std::move(first_) : Value::Null(); }
  Value State() override { return Value(Values{std::move(first_), std::move(by_)}); }
  base::Status Merge(const Value& state) override {
    const Values* other = Elements(state, 2);
    if (other == nullptr) return NoState();
    if (spec_.by_column) {
      AddBy((*other)[0], (*other)[1]);
    } else if (!HasValue(first_)) {
      first_ = (*other)[0];
    }
    return base::OkStatus();
  }

 private:
  void AddBy(const Value& first, const Value& by) {
    if (!HasValue(by)) return;
    int sign = HasValue(by_) ? Compare(by, by_) : -1;
    if (HasValue(by_) && !(spec_.by_ascending ? sign < 0 : sign > 0)) return;
    by_ = by;
    first_ = first;
  }

  const ReducerSpec spec_;
  Value first_;
  Value by_;
};

// Each row is as likely as any other to be among the sample (Vitter's algorithm R).
class RandomSampleReducer final : public Reducer {
 public:
  RandomSampleReducer(const ReducerSpec& spec, std::mt19937_64& random) : spec_(spec), random_(random) {}

  void Add(Row row) override {
    const Value& value = row[spec_.column];
    if (!HasValue(value)) return;
    ++count_;
    if (sample_.size() < spec_.sample) {
      sample_.push_back(value);
    } else if (size_t at = std::uniform_int_distribution<size_t>(0, count_ - 1)(random_); at < sample_.size()) {
      sample_[at] = value;
    }
  }
  Value Finish() override { return Value(std::move(sample_)); }

  Value State() override { return Value(Values{Value(static_cast<double>(count_)), Value(std::move(sample_))}); }

  // Takes from either sample as often as a sample of all rows would.
  base::Status Merge(const Value& state) override {
    const Values* other = Elements(state, 2);
    if (other == nullptr || (*other)[0].number() == nullptr || (*other)[1].list() == nullptr) return NoState();
    Values samples[2] = {std::move(sample_), *(*other)[1].list()};
    size_t left[2] = {count_, static_cast<size_t>(std::max(0.0, *(*other)[0].number()))};
    count_ = left[0] + left[1];
    sample_.clear();
    while (sample_.size() < spec_.sample && !(samples[0].empty() && samples[1].empty())) {
      const bool second = samples[0].empty() || (!samples[1].empty() && Below(left[0] + left[1]) >= left[0]);
      Values& from = samples[second ? 1 : 0];
      std::swap(from[Below(from.size())], from.back());
      sample_.push_back(std::move(from.back()));
      from.pop_back();
      left[second ? 1 : 0] -= left[second ? 1 : 0] > 0 ? 1 : 0;
    }
    return base::OkStatus();
  }

 private:
  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, std::max<size_t>(bound, 1) - 1)(random_);
  }

  const ReducerSpec spec_;
  std::mt19937_64& random_;
  size_t count_ = 0;
  Values sample_;
};

}  // namespace

std::optional<ReducerKind> FindReducer(std::string_view name) {
  for (const auto& [known, kind] : kNames) {
    if (EqualsIgnoringCase(known, name)) return kind;
  }
  return std::nullopt;
}

std::string_view ReducerName(ReducerKind kind) {
  auto found = std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.second == kind; });
  return found->first;
}

std::unique_ptr<Reducer> Reducer::Create(const ReducerSpec& spec, std::mt19937_64& random) {
  switch (spec.kind) {
    case ReducerKind::kCount:
      return std::make_unique<CountReducer>();
    case ReducerKind::kCountDistinct:
      return std::make_unique<CountDistinctReducer>(spec);
    case ReducerKind::kCountDistinctish:
      return std::make_unique<CountDistinctishReducer>(spec);
    case ReducerKind::kQuantile:
      return std::make_unique<QuantileReducer>(spec);
    case ReducerKind::kToList:
      return std::make_unique<ToListReducer>(spec);
    case ReducerKind::kFirstValue:
      return std::make_unique<FirstValueReducer>(spec);
    case ReducerKind::kRandomSample:
      return std::make_unique<RandomSampleReducer>(spec, random);
    default:
      return std::make_unique<NumberReducer>(spec);
  }
}

}  // namespace redoubt::search
