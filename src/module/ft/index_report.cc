#include "module/ft/index_report.h"

#include <algorithm>

#include "module/cluster/wire.h"

namespace redoubt::ft {
namespace {

using search::FailureCounter;
using search::IndexStats;

constexpr size_t IndexStats::*kSums[] = {
    &IndexStats::documents,        &IndexStats::document_id_bound,
    &IndexStats::distinct_tags,    &IndexStats::terms,
    &IndexStats::records,          &IndexStats::tag_bytes,
    &IndexStats::numeric_bytes,    &IndexStats::text_bytes,
    &IndexStats::vector_bytes,     &IndexStats::staged_vectors,
    &IndexStats::key_bytes,        &IndexStats::graph_code_bytes,
    &IndexStats::graph_link_bytes, &IndexStats::graph_id_bytes,
};

void Add(const FailureCounter& other, FailureCounter& failures) {
  if (failures.count == 0 && other.count > 0) {
    failures = other;
  } else {
    failures.count += other.count;
  }
}

void Write(const FailureCounter& failures, cluster::WireWriter& out) {
  out.Number(failures.count);
  out.Text(failures.last_error);
  out.Text(failures.last_key);
}

base::Result<FailureCounter> ReadFailures(cluster::WireReader& in) {
  FailureCounter failures;
  ASSIGN_OR_RETURN(failures.count, in.Number());
  ASSIGN_OR_RETURN(failures.last_error, in.Text());
  ASSIGN_OR_RETURN(failures.last_key, in.Text());
  return failures;
}

}  // namespace

IndexReport IndexReport::Of(const IndexEntry& entry) {
  IndexReport report;
  report.stats = entry.live->Stats();
  // A staged vector is found already, only not yet through the graph.
  const auto documents = static_cast<double>(std::max<size_t>(report.stats.documents, 1));
  const double linked = std::max(0.0, 1 - static_cast<double>(report.stats.staged_vectors) / documents);
  report.indexing = entry.scanning || report.stats.staged_vectors > 0;
  report.part_indexed = entry.scanned_part * linked;
  report.searches = entry.searches;
  return report;
}

void IndexReport::Add(const IndexReport& other) {
  for (auto sum : kSums) stats.*sum += other.stats.*sum;
  ft::Add(other.stats.failures, stats.failures);
  const size_t fields = std::min(stats.field_failures.size(), other.stats.field_failures.size());
  for (size_t i = 0; i < fields; ++i) ft::Add(other.stats.field_failures[i], stats.field_failures[i]);
  indexing |= other.indexing;
  const auto count = static_cast<double>(shards);
  const auto added = static_cast<double>(other.shards);
  part_indexed = (part_indexed * count + other.part_indexed * added) / (count + added);
  searches += other.searches;
  shards += other.shards;
}

std::string IndexReport::Encode() const {
  cluster::WireWriter out;
  for (auto sum : kSums) out.Number(stats.*sum);
  Write(stats.failures, out);
  out.Number(stats.field_failures.size());
  for (const FailureCounter& failures : stats.field_failures) Write(failures, out);
  out.Byte(indexing ? 1 : 0);
  out.Double(part_indexed);
  out.Number(searches);
  return out.Take();
}

base::Result<IndexReport> IndexReport::Decode(std::string_view bytes) {
  cluster::WireReader in(bytes);
  IndexReport report;
  for (auto sum : kSums) {
    ASSIGN_OR_RETURN(report.stats.*sum, in.Number());
  }
  ASSIGN_OR_RETURN(report.stats.failures, ReadFailures(in));
  ASSIGN_OR_RETURN(size_t fields, in.Count(3 * sizeof(uint64_t)));
  for (size_t i = 0; i < fields; ++i) {
    ASSIGN_OR_RETURN(FailureCounter failures, ReadFailures(in));
    report.stats.field_failures.push_back(std::move(failures));
  }
  ASSIGN_OR_RETURN(uint8_t indexing, in.Byte());
  report.indexing = indexing != 0;
  ASSIGN_OR_RETURN(report.part_indexed, in.Double());
  ASSIGN_OR_RETURN(report.searches, in.Number());
  return report;
}

}  // namespace redoubt::ft
