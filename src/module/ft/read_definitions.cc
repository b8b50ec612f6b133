#include "module/ft/read_definitions.h"

#include <string>
#include <string_view>
#include <utility>

#include "search/create_parser.h"

namespace redoubt::ft {
namespace {

constexpr uint64_t kMaxIndexes = 100'000;
constexpr uint64_t kMaxArguments = 1'000'000;

base::Result<search::IndexDefinition> ReadDefinition(host::RdbReader& reader) {
  ASSIGN_OR_RETURN(uint64_t count, reader.UnsignedUpTo(kMaxArguments, "number of arguments of an index"));
  std::vector<std::string> args;
  for (uint64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string arg, reader.Text());
    args.push_back(std::move(arg));
  }
  std::vector<std::string_view> views(args.begin(), args.end());
  return search::ParseCreate(views);
}

}  // namespace

base::Result<std::vector<search::IndexDefinition>> ReadDefinitions(host::RdbReader& reader) {
  ASSIGN_OR_RETURN(uint64_t count, reader.UnsignedUpTo(kMaxIndexes, "number of indexes"));
  std::vector<search::IndexDefinition> definitions;
  for (uint64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(search::IndexDefinition definition, ReadDefinition(reader));
    definitions.push_back(std::move(definition));
  }
  return definitions;
}

}  // namespace redoubt::ft
