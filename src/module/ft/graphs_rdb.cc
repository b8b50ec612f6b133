#include "module/ft/graphs_rdb.h"

#include <fmt/core.h>

namespace redoubt::ft {
namespace {

constexpr uint64_t kMaxFields = 100'000;

base::SectionWriter SectionOf(host::RdbWriter& writer) {
  return base::SectionWriter([&writer](std::span<const std::byte> chunk) { writer.Bytes(chunk); });
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
  base::SectionWriter documents = SectionOf(writer);
  index.SaveDocuments(documents);
  documents.Finish();
  for (const size_t field : fields) {
    writer.Unsigned(field);
    base::SectionWriter graph = SectionOf(writer);
    index.SaveGraph(field, graph);
    graph.Finish();
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
