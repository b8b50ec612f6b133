#include "module/ai/scan_reply.h"

#include <utility>
#include <vector>

namespace redoubt::ai {

void ReplyScan(host::Context& ctx, KeyNames& names,
               const std::function<std::optional<std::string>(const host::Key& key)>& tag_of) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const std::string& name : names.In(ctx.db())) {
    const host::String key_name(name);
    std::optional<std::string> tag = tag_of(host::Key::ForRead(ctx, key_name.raw()));
    if (tag) {
      found.emplace_back(name, std::move(*tag));
    } else {
      names.Forget(ctx.db(), name);
    }
  }
  ctx.ReplyArray(found.size());
  for (const auto& [name, tag] : found) {
    ctx.ReplyArray(2);
    ctx.ReplyBulk(name);
    ctx.ReplyBulk(tag);
  }
}

}  // namespace redoubt::ai
