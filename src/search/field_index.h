#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/memory.h"
#include "base/result.h"
#include "base/section.h"
#include "search/document_table.h"
#include "search/index_stats.h"
#include "search/presence.h"
#include "search/schema.h"

namespace redoubt::search {

class GraphField;
class NumericIndex;
class TagIndex;
class TextIndex;
class VectorField;
class VectorOwners;

// What a result is sorted by: nothing, a number, or text.
using SortKey = std::variant<std::monostate, double, std::string>;

// What an index keeps of one field of its documents: a kind for each type of field.
// The const functions may run on many threads at once; Set() and Clear() need exclusive access.
class FieldIndex {
 public:
  // The kind for `field` of `definition`. `memory` outlives it.
  static base::Result<std::unique_ptr<FieldIndex>> Create(const Field& field, const IndexDefinition& definition,
                                                          base::MemoryResource& memory);
  virtual ~FieldIndex() = default;

  // Whether Set() takes the value; the error is the one that FT.INFO shows.
  virtual base::Status Check(std::string_view value) const;
  // Replaces what the document had. ResourceExhausted, or std::bad_alloc thrown, when memory has no room: the document
  // has to be cleared then.
  virtual base::Status Set(Id id, std::string_view value) = 0;
  virtual void Clear(Id id) = 0;
  // Of text: the language of the documents that are set from now on; empty, or an unknown one: that of the index.
  virtual void UseLanguage(std::string_view /*language*/) {}

  virtual SortKey SortKeyOf(Id id) const;  // nothing where the document has no value, or the field no order
  virtual void AddTo(IndexStats& stats) const = 0;

  // Of a field with a graph: takes the one that a file has for documents with these ids, before there are any vectors.
  // The error says why not; what there was stays.
  virtual base::Status LoadGraph(const IdSet& ids, base::SectionReader& in);

  // Of a field with a graph: whether Set() has put another one in its place since this was asked.
  virtual bool TakeRenewed() { return false; }

  // Of a field with INDEXMISSING, kept by the index; else null.
  Presence* presence() const { return presence_.get(); }

  // Null but for a field of that type.
  virtual const TagIndex* tags() const { return nullptr; }
  virtual const NumericIndex* numbers() const { return nullptr; }
  virtual const TextIndex* text() const { return nullptr; }
  virtual const VectorField* vectors() const { return nullptr; }  // FLAT
  virtual const GraphField* graph() const { return nullptr; }     // HNSW
  // Whose what is found in vectors() or graph() is; null: the ids there are documents.
  virtual const VectorOwners* owners() const { return nullptr; }

 private:
  std::unique_ptr<Presence> presence_;
};

using FieldIndexes = std::vector<std::unique_ptr<FieldIndex>>;  // in the order of the definition's fields

}  // namespace redoubt::search
