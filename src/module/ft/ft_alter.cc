#include "module/ft/ft_module.h"
#include "search/create_parser.h"

namespace redoubt::ft {
namespace {

using search::ArgCursor;
using search::Field;

struct Alteration {
  std::vector<Field> fields;
  bool scan = true;
};

// [SKIPINITIALSCAN] SCHEMA ADD field ...
base::Result<Alteration> Parse(ArgCursor& args, const search::IndexDefinition& definition) {
  Alteration alteration;
  alteration.scan = !args.Take("SKIPINITIALSCAN");
  if (!args.Take("SCHEMA")) return base::InvalidArgument("ALTER must be followed by SCHEMA");
  if (!args.Take("ADD")) return base::InvalidArgument("Unknown action passed to ALTER SCHEMA");
  search::IndexDefinition altered = definition;
  RETURN_IF_ERROR(search::ParseFields(args, altered));
  alteration.fields.assign(altered.fields.begin() + static_cast<ptrdiff_t>(definition.fields.size()),
                           altered.fields.end());
  return alteration;
}

// Of _ALTERIFNX: the first field is there already.
bool IsThere(const std::vector<std::string_view>& words, const search::IndexDefinition& definition) {
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (!search::EqualsIgnoringCase(words[i], "ADD")) continue;
    bool renamed = i + 3 < words.size() && search::EqualsIgnoringCase(words[i + 2], "AS");
    return definition.FindField(words[renamed ? i + 3 : i + 1]).has_value();
  }
  return false;
}

}  // namespace

base::Status FtAlter(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() < 6) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  if (ft.SpreadDefinition(ctx, args)) return base::OkStatus();
  std::shared_ptr<IndexEntry> entry = ft.indexes().Find(args[1]);
  if (entry == nullptr) return ReplyFtError(ctx, base::NotFound("Unknown index name"));
  const std::vector<std::string_view> words = Words(args, 2);
  if (search::EqualsIgnoringCase(args[0], "FT._ALTERIFNX") && IsThere(words, entry->definition())) {
    ctx.ReplyOk();
    return base::OkStatus();
  }
  ArgCursor cursor(words);
  base::Result<Alteration> alteration = Parse(cursor, entry->definition());
  if (!alteration.ok()) return ReplyFtError(ctx, alteration.status());
  base::Status altered = ft.AlterIndex(entry, std::move(alteration->fields), alteration->scan);
  if (!altered.ok()) return ReplyFtError(ctx, altered);
  ctx.ReplicateVerbatim();
  ctx.ReplyOk();
  return base::OkStatus();
}

}  // namespace redoubt::ft
