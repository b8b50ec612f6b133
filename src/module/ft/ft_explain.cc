#include <fmt/core.h>

#include "module/ft/ft_module.h"
#include "search/explain.h"

namespace redoubt::ft {
namespace {

void ReplyLines(host::Context& ctx, std::string_view text) {
  RedisModule_ReplyWithArray(ctx.raw(), REDISMODULE_POSTPONED_LEN);
  long count = 1;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    ctx.ReplyBulk(text.substr(0, end));
    text.remove_prefix(end + 1);
    ++count;
  }
  ctx.ReplyBulk(text);
  RedisModule_ReplySetArrayLength(ctx.raw(), count);
}

}  // namespace

// FT.EXPLAIN and FT.EXPLAINCLI: index query [options of FT.SEARCH]
base::Status FtExplain(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() < 3) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  if (base::Status here = ft.CheckPlace(ctx, args[1]); !here.ok()) return ReplyFtError(ctx, here);
  std::shared_ptr<IndexEntry> entry = ft.indexes().Find(args[1]);
  if (entry == nullptr) return ft.ReplyUnknown(ctx, args[1], fmt::format("{}: no such index", args[1]));
  base::Result<search::SearchPlan> plan =
      search::PlanSearch(Words(args, 2), entry->definition(), SearchDefaultsOf(ft.settings()));
  if (!plan.ok()) return ReplyFtError(ctx, plan.status());
  const std::string text = search::Explain(plan->query, entry->definition());
  search::EqualsIgnoringCase(args[0], "FT.EXPLAINCLI") ? ReplyLines(ctx, text) : ctx.ReplyBulk(text);
  return base::OkStatus();
}

}  // namespace redoubt::ft
