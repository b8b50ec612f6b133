#include <fmt/core.h>

#include <optional>

#include "module/ft/ft_module.h"

namespace redoubt::ft {
namespace {

base::Status Read(FtModule& ft, host::Context& ctx, const host::Args& args, int64_t id, const IndexEntry& entry,
                  Cursor& cursor) {
  // Its rows were made when the user had more rights, perhaps.
  if (base::Status allowed = ft.CheckMayRead(ctx, entry); !allowed.ok()) return ReplyFtError(ctx, allowed);
  size_t count = cursor.count;
  if (args.size() > 4) {
    std::optional<int64_t> asked = args.size() == 6 && args.Is(4, "COUNT") ? args.Integer(5) : std::nullopt;
    if (!asked || *asked < 1) return ReplyFtError(ctx, base::InvalidArgument("Bad value for COUNT"));
    count = static_cast<size_t>(*asked);
  }
  ctx.ReplyArray(2);
  ReplyRows(ctx, cursor.result, count);
  ctx.ReplyInteger(cursor.result.done() ? 0 : id);
  if (cursor.result.done()) ft.cursors().Drop(id);
  return base::OkStatus();
}

}  // namespace

// FT.CURSOR READ index id [COUNT n] | DEL index id
base::Status FtCursor(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() < 4) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  const bool reads = args.Is(1, "READ");
  if (!reads && !args.Is(1, "DEL")) return ReplyFtError(ctx, base::InvalidArgument("Unknown subcommand"));
  if (base::Status here = ft.CheckPlace(ctx, args[2]); !here.ok()) return ReplyFtError(ctx, here);
  std::optional<int64_t> id = args.Integer(3);
  if (!id) return ReplyFtError(ctx, base::InvalidArgument("Bad cursor ID"));
  const std::shared_ptr<IndexEntry> entry = ft.indexes().Find(args[2]);
  Cursor* cursor = ft.cursors().Find(*id, entry, ft.CallerOf(ctx).user());
  if (cursor == nullptr) return ReplyFtError(ctx, base::NotFound(fmt::format("Cursor not found, id: {}", *id)));
  if (reads) return Read(ft, ctx, args, *id, *entry, *cursor);
  ft.cursors().Drop(*id);
  ctx.ReplyOk();
  return base::OkStatus();
}

}  // namespace redoubt::ft
