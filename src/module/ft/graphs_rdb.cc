#include "module/ft/graphs_rdb.h"

#include <fmt/core.h>

#include <functional>
#include <new>
#include <optional>

namespace redoubt::ft {
namespace {

constexpr uint64_t kMaxFields = 100'000;

// Where memory ends, the section ends too early: who reads it refuses that graph, and nothing else of the file is lost.
void WriteSection(host::RdbWriter& writer, const std::function<void(base::SectionWriter&)>& fill) {
  constexpr std::byte kChecksumOfNothing[sizeof(uint64_t)] = {};
  std::optional<base::SectionWriter> section;
  try {
    section.emplace([&writer](std::span<const std::byte> chunk) { writer.Bytes(chunk); });
    fill(*section);
  } catch (const std::bad_alloc&) {
    RedisModule_Log(nullptr, REDISMODULE_LOGLEVEL_WARNING, "no memory to save a graph: it will be built from the keys");
  }
  if (section) return section->Finish();
  writer.Bytes({});
  writer.Bytes(kChecksumOfNothing);
}

base::SectionReader SectionOf(host::RdbReader& reader) {
  return base::SectionReader([&reader] { return reader.Bytes(); });
}

base::Status ReadDocuments(host::RdbReader& reader, search::LiveIndex*& index, base::Logger& logger) {
  base::SectionReader section = SectionOf(reader);
  base::Status loaded = index == nullptr ? base::OkStatus() : index->LoadDocuments(section);
  if (!loaded.ok()) {
    logger.Warning("index '{}': the list of documents in the file is not used, {}; its graphs are built from the keys",
                   index->definition().name, loaded.message());
    index = nullptr;
  }
  return section.Skip();
}

base::Status ReadGraph(host::RdbReader& reader, search::LiveIndex* index, base::Logger& logger, GraphCounts& counts) {
  ASSIGN_OR_RETURN(const uint64_t field, reader.UnsignedUpTo(kMaxFields, "field of a graph"));
  base::SectionReader section = SectionOf(reader);
  if (index == nullptr) {
    ++counts.refused;
    return section.Skip();
  }
  base::Status loaded = index->LoadGraph(field, section);
  ++(loaded.ok() ? counts.loaded : counts.refused);
  if (!loaded.ok()) {
    logger.Warning("index '{}', field {}: the graph in the file is not used, {}; it is built from the keys",
                   index->definition().name, field + 1, loaded.message());
  }
  return section.Skip();
}

}  // namespace

void WriteGraphs(host::RdbWriter& writer, const search::LiveIndex& live) {
  const search::Index& index = live.AsItStands();
  const std::vector<size_t> fields = index.GraphFields();
  writer.Unsigned(fields.size());
  if (fields.empty()) return;
  WriteSection(writer, [&](base::SectionWriter& out) { index.SaveDocuments(out); });
  for (const size_t field : fields) {
    writer.Unsigned(field);
    WriteSection(writer, [&](base::SectionWriter& out) { index.SaveGraph(field, out); });
  }
}

base::Status ReadGraphs(host::RdbReader& reader, search::LiveIndex* index, base::Logger& logger, GraphCounts& counts) {
  ASSIGN_OR_RETURN(const uint64_t graphs, reader.UnsignedUpTo(kMaxFields, "number of graphs"));
  if (graphs == 0) return base::OkStatus();
  RETURN_IF_ERROR(ReadDocuments(reader, index, logger));
  for (uint64_t i = 0; i < graphs; ++i) RETURN_IF_ERROR(ReadGraph(reader, index, logger, counts));
  return base::OkStatus();
}

}  // namespace redoubt::ft
