#include "module/ft/aggregate_wire.h"

#include <fmt/core.h>

#include <utility>

#include "module/cluster/wire.h"

namespace redoubt::ft {
namespace {

using cluster::WireReader;
using cluster::WireWriter;
using search::AggregateRow;
using search::Value;
using search::Values;

enum class Kind : uint8_t { kMissing = 0, kNull = 1, kNumber = 2, kText = 3, kList = 4 };
constexpr int kDeepestList = 16;
constexpr size_t kLeastRowBytes = 8 + 8;

void Write(WireWriter& out, const Values& values);

void Write(WireWriter& out, const Value& value) {
  if (value.list() != nullptr) {
    out.Byte(static_cast<uint8_t>(Kind::kList));
    Write(out, *value.list());
  } else if (value.text() != nullptr) {
    out.Byte(static_cast<uint8_t>(Kind::kText));
    out.Text(*value.text());
  } else if (value.number() != nullptr) {
    out.Byte(static_cast<uint8_t>(Kind::kNumber));
    out.Double(*value.number());
  } else {
    out.Byte(static_cast<uint8_t>(value.null() ? Kind::kNull : Kind::kMissing));
  }
}

void Write(WireWriter& out, const Values& values) {
  out.Number(values.size());
  for (const Value& value : values) Write(out, value);
}

base::Result<Values> ReadValues(WireReader& in, int depth);

base::Result<Value> ReadValue(WireReader& in, int depth) {
  ASSIGN_OR_RETURN(uint8_t kind, in.Byte());
  switch (static_cast<Kind>(kind)) {
    case Kind::kMissing:
      return Value();
    case Kind::kNull:
      return Value::Null();
    case Kind::kNumber: {
      ASSIGN_OR_RETURN(double number, in.Double());
      return Value(number);
    }
    case Kind::kText: {
      ASSIGN_OR_RETURN(std::string_view text, in.Text());
      return Value(std::string(text));
    }
    case Kind::kList: {
      ASSIGN_OR_RETURN(Values values, ReadValues(in, depth + 1));
      return Value(std::move(values));
    }
  }
  return base::DataLoss("a message of another node has a value of an unknown kind");
}

base::Result<Values> ReadValues(WireReader& in, int depth) {
  if (depth > kDeepestList) return base::DataLoss("a message of another node has lists in lists, too deep");
  ASSIGN_OR_RETURN(size_t count, in.Count(1));
  Values values;
  values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(Value value, ReadValue(in, depth));
    values.push_back(std::move(value));
  }
  return values;
}

void Write(WireWriter& out, const AggregateRow& row) {
  Write(out, row.values);
  out.Number(row.extra.size());
  for (const auto& [name, value] : row.extra) {
    out.Text(name);
    out.Text(value);
  }
}

base::Result<AggregateRow> ReadRow(WireReader& in) {
  AggregateRow row;
  ASSIGN_OR_RETURN(row.values, ReadValues(in, 0));
  ASSIGN_OR_RETURN(size_t count, in.Count(2 * sizeof(uint64_t)));
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string_view name, in.Text());
    ASSIGN_OR_RETURN(std::string_view value, in.Text());
    row.extra.emplace_back(name, value);
  }
  return row;
}

}  // namespace

base::Result<std::string> EncodeRows(const AggregateResult& result, size_t most) {
  WireWriter out;
  out.Number(result.total);
  out.Byte(result.timed_out ? 1 : 0);
  out.Number(result.names.size());
  for (const std::string& name : result.names) out.Text(name);
  out.Number(result.rows.size());
  for (const AggregateRow& row : result.rows) {
    Write(out, row);
    if (out.size() <= most) continue;
    return base::ResourceExhausted(
        fmt::format("its rows take more than {} MiB, which shards do not send: put a GROUPBY, a FILTER or a LIMIT into "
                    "the aggregation",
                    most >> 20));
  }
  return out.Take();
}

base::Result<AggregateResult> DecodeRows(std::string_view bytes) {
  WireReader in(bytes);
  AggregateResult result;
  ASSIGN_OR_RETURN(result.total, in.Number());
  ASSIGN_OR_RETURN(uint8_t timed_out, in.Byte());
  result.timed_out = timed_out != 0;
  ASSIGN_OR_RETURN(size_t names, in.Count(sizeof(uint64_t)));
  for (size_t i = 0; i < names; ++i) {
    ASSIGN_OR_RETURN(std::string_view name, in.Text());
    result.names.emplace_back(name);
  }
  ASSIGN_OR_RETURN(size_t count, in.Count(kLeastRowBytes));
  result.rows.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(AggregateRow row, ReadRow(in));
    if (row.values.size() != names) return base::DataLoss("a message of another node has a row of another width");
    result.rows.push_back(std::move(row));
  }
  return result;
}

}  // namespace redoubt::ft
