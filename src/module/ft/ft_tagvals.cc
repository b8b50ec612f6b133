#include "module/ft/ft_module.h"
#include "module/ft/shard_info.h"

namespace redoubt::ft {

base::Status FtTagVals(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() != 3) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  const base::Result<Shards::Place> place = ft.PlaceOf(ctx, args);
  if (!place.ok()) return ReplyFtError(ctx, place.status());
  std::shared_ptr<IndexEntry> entry = ft.indexes().Find(args[1]);
  if (entry == nullptr) return ft.ReplyUnknown(ctx, args[1], "Unknown Index name");
  if (base::Status allowed = ft.CheckMayRead(ctx, *entry); !allowed.ok()) return ReplyFtError(ctx, allowed);
  std::optional<size_t> field = entry->definition().FindField(args[2]);
  if (!field) return ReplyFtError(ctx, base::NotFound("No such field"));
  if (entry->definition().fields[*field].type != search::FieldType::kTag) {
    return ReplyFtError(ctx, base::InvalidArgument("Not a tag field"));
  }
  if (!place->here) {
    TagsOfShards(ft, ctx, entry, args[2], place->shards);
    return base::OkStatus();
  }
  std::vector<std::string> tags = entry->live->Tags(*field);
  RedisModule_ReplyWithSet(ctx.raw(), static_cast<long>(tags.size()));  // an array in RESP2
  for (const std::string& tag : tags) ctx.ReplyBulk(tag);
  return base::OkStatus();
}

}  // namespace redoubt::ft
