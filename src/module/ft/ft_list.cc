#include "module/ft/ft_module.h"

namespace redoubt::ft {

base::Status FtList(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() != 1) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  RedisModule_ReplyWithSet(ctx.raw(), static_cast<long>(ft.indexes().size()));  // an array in RESP2
  for (const auto& [name, entry] : ft.indexes()) ctx.ReplyBulk(name);
  return base::OkStatus();
}

}  // namespace redoubt::ft
