#include "module/ft/ft_module.h"

namespace redoubt::ft {
namespace {

base::Status Add(FtModule& ft, std::string_view alias, std::string_view index, bool only_if_new) {
  std::shared_ptr<IndexEntry> entry = ft.indexes().FindByName(index);
  if (entry == nullptr) return base::NotFound("Unknown index name (or name is an alias itself)");
  if (only_if_new && ft.indexes().HasAlias(alias)) return base::AlreadyExists("Alias already exists");
  ft.indexes().SetAlias(alias, entry);
  return base::OkStatus();
}

bool IsAbout(const host::Args& args, std::string_view part) {
  return search::ToUpper(args[0]).find(part) != std::string::npos;
}

// ALIASADD and ALIASUPDATE name an alias and an index, ALIASDEL only the alias. The forms that end in IFNX and IFX take
// it for granted when there is nothing to do.
base::Status Run(FtModule& ft, const host::Args& args) {
  if (IsAbout(args, "ALIASDEL")) {
    bool removed = ft.indexes().RemoveAlias(args[1]);
    return removed || IsAbout(args, "IFX") ? base::OkStatus() : base::NotFound("Alias does not exist");
  }
  base::Status added = Add(ft, args[1], args[2], IsAbout(args, "ALIASADD"));
  if (IsAbout(args, "IFNX") && added.code() == base::StatusCode::kAlreadyExists) return base::OkStatus();
  return added;
}

}  // namespace

base::Status FtAlias(FtModule& ft, host::Context& ctx, host::Args args) {
  const size_t words = search::ToUpper(args[0]).find("ALIASDEL") != std::string::npos ? 2 : 3;
  if (args.size() != words) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  if (ft.SpreadDefinition(ctx, args)) return base::OkStatus();
  if (base::Status done = Run(ft, args); !done.ok()) return ReplyFtError(ctx, done);
  ctx.ReplicateVerbatim();
  ctx.ReplyOk();
  return base::OkStatus();
}

}  // namespace redoubt::ft
