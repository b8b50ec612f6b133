#include "search/aggregate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/clock.h"
#include "search/group_table.h"

namespace redoubt::search {
namespace {

using base::OkStatus;

constexpr size_t kRowsBetweenStops = 1024;

Value ToValue(SortKey key) {
  if (const auto* number = std::get_if<double>(&key)) return Value(*number);
  if (auto* text = std::get_if<std::string>(&key)) return Value(std::move(*text));
  return {};
}

bool IsAbsent(const Value& value) { return value.missing() || value.null(); }

// Numbers before text, so that there is one order of all values.
int Order(const Value& a, const Value& b) {
  bool number = a.number() != nullptr;
  if (number != (b.number() != nullptr)) return number ? -1 : 1;
  return Compare(a, b);
}

const char* StepName(const AggregateStep& step) {
  constexpr const char* kNames[] = {"Loader", "Grouper", "Sorter", "Projector", "Filter", "Pager/Limiter"};
  return kNames[step.index()];
}

}  // namespace

size_t MemoryBytes(const std::vector<AggregateRow>& rows) {
  size_t bytes = rows.capacity() * sizeof(AggregateRow);
  for (const AggregateRow& row : rows) {
    bytes += row.key.capacity() + row.extra.capacity() * sizeof(row.extra[0]);
    for (const Value& value : row.values) bytes += value.MemoryBytes();
    for (const auto& [name, value] : row.extra) bytes += name.capacity() + value.capacity();
  }
  return bytes;
}

void AggregateRun::TakeDocuments(SearchOutcome outcome) {
  total_ = outcome.total;
  timed_out_ = outcome.timed_out;
  rows_.reserve(outcome.documents.size());
  for (FoundDocument& document : outcome.documents) {
    AggregateRow& row = rows_.emplace_back();
    row.values.resize(width());
    for (const ColumnSource& source : plan_.sources) {
      Value& value = row.values[source.column];
      switch (source.kind) {
        case ColumnSource::Kind::kIndex:
          value = ToValue(std::move(document.columns[source.position]));
          break;
        case ColumnSource::Kind::kDistance:
          value = Value(document.distance);
          break;
        case ColumnSource::Kind::kRangeDistance:
          if (!std::isnan(document.RangeDistance(source.position))) {
            value = Value(document.RangeDistance(source.position));
          }
          break;
        case ColumnSource::Kind::kScore:
          value = Value(document.score);
          break;
        case ColumnSource::Kind::kKey:
          value = Value(document.key);
          break;
      }
    }
    row.key = std::move(document.key);
  }
}

void AggregateRun::TakeRows(std::vector<AggregateRow> rows, size_t total, bool timed_out) {
  rows_ = std::move(rows);
  total_ = total;
  timed_out_ = timed_out;
}

base::Result<AggregateRun::State> AggregateRun::Advance(const Stop& stop) {
  const base::SystemClock clock;
  if (waiting_) {
    waiting_ = false;
    profile_.push_back({"Loader", rows_.size(), clock.SteadyMicros() - load_begin_us_});
    ++step_;
  }
  for (; step_ < plan_.steps.size(); ++step_) {
    if (std::holds_alternative<LoadStep>(plan_.steps[step_])) {
      waiting_ = true;
      load_begin_us_ = clock.SteadyMicros();
      return State::kNeedsFields;
    }
    const int64_t begin = clock.SteadyMicros();
    RETURN_IF_ERROR(Run(plan_.steps[step_], stop));
    profile_.push_back({StepName(plan_.steps[step_]), rows_.size(), clock.SteadyMicros() - begin});
  }
  return State::kDone;
}

Status AggregateRun::Run(const AggregateStep& step, const Stop& stop) {
  if (const auto* apply = std::get_if<ApplyStep>(&step)) return Apply(*apply, stop);
  if (const auto* filter = std::get_if<FilterStep>(&step)) return Filter(*filter, stop);
  if (const auto* group = std::get_if<GroupStep>(&step)) return Group(*group, stop);
  if (const auto* sort = std::get_if<SortStep>(&step)) Sort(*sort);
  if (const auto* limit = std::get_if<LimitStep>(&step)) Limit(*limit);
  return OkStatus();
}

bool AggregateRun::Stopped(const Stop& stop, size_t row) {
  if (row % kRowsBetweenStops != 0 || !stop || !stop()) return false;
  return timed_out_ = true;
}

Status AggregateRun::Apply(const ApplyStep& step, const Stop& stop) {
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (Stopped(stop, i)) {
      rows_.resize(i);
      break;
    }
    ASSIGN_OR_RETURN(rows_[i].values[step.column], step.expression.Evaluate(rows_[i].values));
  }
  return OkStatus();
}

// A row that lacks what the expression asks for does not pass.
Status AggregateRun::Filter(const FilterStep& step, const Stop& stop) {
  size_t kept = 0;
  for (size_t i = 0; i < rows_.size() && !Stopped(stop, i); ++i) {
    base::Result<Value> passes = step.expression.Evaluate(rows_[i].values);
    if (!passes.ok() && passes.status().code() != base::StatusCode::kNotFound) return passes.status();
    if (!passes.ok() || !passes->Truthy()) continue;
    if (kept != i) rows_[kept] = std::move(rows_[i]);
    ++kept;
  }
  rows_.resize(kept);
  total_ = kept;
  return OkStatus();
}

Status AggregateRun::Group(const GroupStep& step, const Stop& stop) {
  GroupTable groups(step, random_);
  size_t asked = 0;
  for (const AggregateRow& row : rows_) {
    if (groups.steps() >= asked) {
      if (Stopped(stop, 0)) break;
      asked = groups.steps() + kRowsBetweenStops;
    }
    RETURN_IF_ERROR(groups.Add(row.values));
  }
  rows_.clear();
  ++stage_;
  for (Values& values : groups.Finish()) {
    AggregateRow& row = rows_.emplace_back();
    row.values = std::move(values);
    row.values.resize(width());
  }
  total_ = rows_.size();
  return OkStatus();
}

// Rows without a value come last in either direction; equal ones stay in their order.
void AggregateRun::Sort(const SortStep& step) {
  std::vector<size_t> order(rows_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  auto before = [&](size_t a, size_t b) {
    for (const SortStep::Key& key : step.keys) {
      const Value& x = rows_[a].values[key.column];
      const Value& y = rows_[b].values[key.column];
      if (IsAbsent(x) != IsAbsent(y)) return IsAbsent(y);
      if (int sign = Order(x, y); sign != 0) return key.ascending ? sign < 0 : sign > 0;
    }
    return a < b;
  };
  if (!step.merges) total_ = rows_.size();
  size_t kept = std::min(rows_.size(), step.most);
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(kept), order.end(), before);
  std::vector<AggregateRow> sorted;
  sorted.reserve(kept);
  for (size_t i = 0; i < kept; ++i) sorted.push_back(std::move(rows_[order[i]]));
  rows_ = std::move(sorted);
}

void AggregateRun::Limit(const LimitStep& step) {
  size_t begin = std::min(rows_.size(), step.offset);
  rows_.erase(rows_.begin(), rows_.begin() + static_cast<ptrdiff_t>(begin));
  if (rows_.size() > step.count) rows_.resize(step.count);
}

}  // namespace redoubt::search
