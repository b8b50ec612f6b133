#include "module/ft/read_definitions.h"
#include "module/host/fuzz_reader.h"
#include "search/create_parser.h"

// The fields of the definitions' part of an RDB: an answer or an error, and what was read is written the same again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  redoubt::host::FuzzReader reader(data, size);
  auto definitions = redoubt::ft::ReadDefinitions(reader);
  if (!definitions.ok()) return 0;
  for (const redoubt::search::IndexDefinition& definition : *definitions) {
    std::vector<std::string> stored = redoubt::search::CreateArgs(definition);
    std::vector<std::string_view> again(stored.begin(), stored.end());
    if (redoubt::search::CreateArgs(redoubt::search::ParseCreate(again).value()) != stored) __builtin_trap();
  }
  return 0;
}
