#include "module/ft/aggregate_result.h"

#include <algorithm>

namespace redoubt::ft {
namespace {

void ReplyValue(host::Context& ctx, const search::Value& value) {
  if (value.list() != nullptr) {
    ctx.ReplyArray(value.list()->size());
    for (const search::Value& element : *value.list()) ReplyValue(ctx, element);
  } else if (value.null() || value.missing()) {
    ctx.ReplyNull();
  } else if (value.text() != nullptr) {
    ctx.ReplyBulk(*value.text());
  } else {
    ctx.ReplyBulk(value.ToText());
  }
}

// What LOAD * brought; a column of that name is shown instead.
bool IsColumn(const AggregateResult& result, const std::string& name) {
  return std::find(result.names.begin(), result.names.end(), name) != result.names.end();
}

size_t CountPairs(const AggregateResult& result, const search::AggregateRow& row) {
  auto present = [](const search::Value& value) { return !value.missing(); };
  auto extra = [&](const auto& pair) { return !IsColumn(result, pair.first); };
  return static_cast<size_t>(std::count_if(row.values.begin(), row.values.end(), present) +
                             std::count_if(row.extra.begin(), row.extra.end(), extra));
}

void ReplyPairs(host::Context& ctx, const AggregateResult& result, const search::AggregateRow& row) {
  ctx.ReplyMap(CountPairs(result, row));
  for (size_t i = 0; i < row.values.size(); ++i) {
    if (row.values[i].missing()) continue;
    ctx.ReplyBulk(result.names[i]);
    ReplyValue(ctx, row.values[i]);
  }
  for (const auto& [name, value] : row.extra) {
    if (IsColumn(result, name)) continue;
    ctx.ReplyBulk(name);
    ctx.ReplyBulk(value);
  }
}

void ReplyResp3(host::Context& ctx, AggregateResult& result, size_t shown) {
  ctx.ReplyMap(5);
  ctx.ReplyStatus("attributes");
  ctx.ReplyArray(0);
  ctx.ReplyStatus("total_results");
  ctx.ReplyInteger(static_cast<int64_t>(result.total));
  ctx.ReplyStatus("format");
  ctx.ReplyStatus("STRING");
  ctx.ReplyStatus("results");
  ctx.ReplyArray(shown);
  for (size_t i = 0; i < shown; ++i) {
    ctx.ReplyMap(2);
    ctx.ReplyStatus("extra_attributes");
    ReplyPairs(ctx, result, result.rows[result.next + i]);
    ctx.ReplyStatus("values");
    ctx.ReplyArray(0);
  }
  ctx.ReplyStatus("warning");
  ctx.ReplyArray(result.timed_out ? 1 : 0);
  if (result.timed_out) ctx.ReplyBulk("Timeout limit was reached");
}

}  // namespace

void ReplyRows(host::Context& ctx, AggregateResult& result, size_t count) {
  size_t shown = std::min(count, result.rows.size() - result.next);
  if (ctx.Resp3()) {
    ReplyResp3(ctx, result, shown);
  } else {
    ctx.ReplyArray(1 + shown);
    ctx.ReplyInteger(static_cast<int64_t>(result.total));
    for (size_t i = 0; i < shown; ++i) ReplyPairs(ctx, result, result.rows[result.next + i]);
  }
  result.next += shown;
}

}  // namespace redoubt::ft
