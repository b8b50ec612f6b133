#include <fmt/core.h>

#include <utility>

#include "module/ft/ft_module.h"
#include "module/ft/shard_info.h"
#include "module/host/key_slot.h"

namespace redoubt::ft {
namespace {

bool IsAbout(const host::Args& args, std::string_view part) {
  return search::ToUpper(args[0]).find(part) != std::string::npos;
}

// An alias lives where its index is.
base::Status CheckAliasTag(std::string_view alias, std::string_view index) {
  if (!HasHashTag(alias) || host::KeySlot(alias) == host::KeySlot(index)) return base::OkStatus();
  return base::InvalidArgument(fmt::format(
      "ERR the hash tag of the alias `{}` belongs to another slot than the index `{}`: use the same tag, or none",
      alias, index));
}

}  // namespace

std::string FtModule::NameOf(std::string_view name) const {
  const std::shared_ptr<IndexEntry> entry = indexes_.Find(name);
  return entry == nullptr ? std::string(name) : entry->definition().name;
}

base::Result<Shards::Place> FtModule::PlaceOf(host::Context& ctx, const host::Args& args, std::string_view name) {
  if (shards_ == nullptr) return Shards::Place{.here = true, .shards = {}};
  return shards_->FindForWaiting(ctx, args[0], NameOf(name));
}

base::Status FtModule::CheckPlace(host::Context& ctx, std::string_view name) {
  const std::string index = NameOf(name);
  return shards_ == nullptr || !HasHashTag(index) ? base::OkStatus() : shards_->Find(ctx, index).status();
}

bool FtModule::SpreadDefinition(host::Context& ctx, const host::Args& args) {
  if (shards_ == nullptr) return false;
  if ((IsAbout(args, "ALIASADD") || IsAbout(args, "ALIASUPDATE")) && HasHashTag(args[2])) {
    if (base::Status same = CheckAliasTag(args[1], args[2]); !same.ok()) {
      (void)ReplyFtError(ctx, same);
      return true;
    }
    return shards_->SpreadDefinition(ctx, args, args[2]);
  }
  if (IsAbout(args, "CREATE")) return shards_->SpreadDefinition(ctx, args, args[1]);
  const bool waits = ctx.CanBlock() && !HasHashTag(args[1]) && indexes_.Find(args[1]) == nullptr;
  if (IsAbout(args, "ALTER") && waits) {
    (void)ReplyUnknown(ctx, args[1], "Unknown index name");
    return true;
  }
  return shards_->SpreadDefinition(ctx, args, NameOf(args[1]));
}

base::Status FtModule::CheckMayRead(host::Context& ctx, const IndexEntry& entry) const {
  const host::Caller caller = CallerOf(ctx);
  if (caller.MayReadAllUnder(entry.definition().prefixes)) return base::OkStatus();
  return base::PermissionDenied(
      fmt::format("NOPERM user {} may not read every key under the prefixes of the index '{}'", caller.user(),
                  entry.definition().name));
}

base::Status FtModule::ReplyUnknown(host::Context& ctx, std::string_view name, std::string text) {
  if (shards_ != nullptr && ctx.CanBlock() && !HasHashTag(name) && !shards_->runs_for_another()) {
    base::Result<Shards::Place> place = shards_->Find(ctx, name);
    if (place.ok() && !place->here) {
      LookForAlias(*this, ctx, name, std::move(text), place->shards);
      return base::OkStatus();
    }
  }
  return ReplyFtError(ctx, base::NotFound(std::move(text)));
}

}  // namespace redoubt::ft
