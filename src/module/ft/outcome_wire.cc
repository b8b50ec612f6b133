#include "module/ft/outcome_wire.h"

#include <utility>
#include <variant>
#include <vector>

#include "module/cluster/wire.h"

namespace redoubt::ft {
namespace {

using cluster::WireReader;
using cluster::WireWriter;
using search::FoundDocument;
using search::SortKey;

constexpr size_t kLeastDocumentBytes = 8 + 8 + 8 + 1 + 8 + 1;

void Write(WireWriter& out, const SortKey& key) {
  out.Byte(static_cast<uint8_t>(key.index()));
  if (const auto* number = std::get_if<double>(&key)) out.Double(*number);
  if (const auto* text = std::get_if<std::string>(&key)) out.Text(*text);
}

base::Result<SortKey> ReadSortKey(WireReader& in) {
  ASSIGN_OR_RETURN(uint8_t kind, in.Byte());
  if (kind == 0) return SortKey();
  if (kind == 1) {
    ASSIGN_OR_RETURN(double number, in.Double());
    return SortKey(number);
  }
  if (kind != 2) return base::DataLoss("a message of another node has a sort key of an unknown kind");
  ASSIGN_OR_RETURN(std::string_view text, in.Text());
  return SortKey(std::string(text));
}

void Write(WireWriter& out, const FoundDocument& document) {
  out.Text(document.key);
  out.Double(document.distance);
  out.Double(document.score);
  Write(out, document.sort_key);
  out.Number(document.range_distances.size());
  for (double distance : document.range_distances) out.Double(distance);
  out.Byte(document.fields ? 1 : 0);
  if (!document.fields) return;
  out.Number(document.fields->size());
  for (const std::string& text : *document.fields) out.Text(text);
  out.Byte(document.payload ? 1 : 0);
  if (document.payload) out.Text(*document.payload);
}

base::Result<FoundDocument> ReadDocument(WireReader& in) {
  FoundDocument document;
  ASSIGN_OR_RETURN(std::string_view key, in.Text());
  document.key = key;
  ASSIGN_OR_RETURN(document.distance, in.Double());
  ASSIGN_OR_RETURN(document.score, in.Double());
  ASSIGN_OR_RETURN(document.sort_key, ReadSortKey(in));
  ASSIGN_OR_RETURN(size_t distances, in.Count(sizeof(double)));
  for (size_t i = 0; i < distances; ++i) {
    ASSIGN_OR_RETURN(double distance, in.Double());
    document.range_distances.push_back(distance);
  }
  ASSIGN_OR_RETURN(uint8_t has_fields, in.Byte());
  if (has_fields == 0) return document;
  ASSIGN_OR_RETURN(size_t count, in.Count(sizeof(uint64_t)));
  if (count % 2 != 0) return base::DataLoss("a message of another node has a name without a value");
  document.fields.emplace();
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string_view text, in.Text());
    document.fields->emplace_back(text);
  }
  ASSIGN_OR_RETURN(uint8_t has_payload, in.Byte());
  if (has_payload == 0) return document;
  ASSIGN_OR_RETURN(std::string_view payload, in.Text());
  document.payload = payload;
  return document;
}

}  // namespace

std::string EncodeOutcome(const search::SearchOutcome& outcome) {
  WireWriter out;
  out.Number(outcome.total);
  out.Byte(outcome.timed_out ? 1 : 0);
  out.Number(outcome.documents.size());
  for (const FoundDocument& document : outcome.documents) Write(out, document);
  return out.Take();
}

base::Result<search::SearchOutcome> DecodeOutcome(std::string_view bytes) {
  WireReader in(bytes);
  search::SearchOutcome outcome;
  ASSIGN_OR_RETURN(outcome.total, in.Number());
  ASSIGN_OR_RETURN(uint8_t timed_out, in.Byte());
  outcome.timed_out = timed_out != 0;
  ASSIGN_OR_RETURN(size_t count, in.Count(kLeastDocumentBytes));
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(FoundDocument document, ReadDocument(in));
    outcome.documents.push_back(std::move(document));
  }
  return outcome;
}

}  // namespace redoubt::ft
