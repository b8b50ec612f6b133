#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory.h"
#include "base/result.h"
#include "search/document_table.h"
#include "search/field_index.h"
#include "search/filter.h"
#include "search/index_stats.h"
#include "search/profile.h"
#include "search/schema.h"
#include "search/search_request.h"
#include "vector/flat_index.h"
#include "vector/hnsw_index.h"

namespace redoubt::search {

// The values of one document, in the order of the definition's fields; nothing where the hash has no such field. Those
// of SCORE_FIELD and LANGUAGE_FIELD, where the definition has them, come last, in this order.
using FieldValues = std::span<const std::optional<std::string_view>>;

struct FoundDocument {
  std::string key;
  double distance = 0;  // of a KNN search
  double score = 0;     // how well it fits the words of the query; 0 of a KNN search
  SortKey sort_key;
  std::vector<SortKey> columns;                    // the values of SearchPlan::columns
  std::optional<std::vector<std::string>> fields;  // name, value, ... to be shown, where another node has read them
  std::optional<std::string> payload;              // the same of WITHPAYLOADS
  std::vector<double> range_distances;             // by Query::range_names; NaN outside of that range

  double RangeDistance(size_t name) const {
    return name < range_distances.size() ? range_distances[name] : std::numeric_limits<double>::quiet_NaN();
  }
};

// Of a KNN over a graph the documents are `candidates`, more than were asked for and by the distance of codes: see
// rank.h for the rest.
struct SearchOutcome {
  size_t total = 0;                      // matches before LIMIT; at most k for KNN
  std::vector<FoundDocument> documents;  // those within LIMIT
  bool timed_out = false;                // what was found until then
  bool candidates = false;
};

// One of several searches that run together. Borrows both.
struct SearchTask {
  const SearchPlan* plan = nullptr;
  std::function<bool()> stop;        // asked now and then; when it answers true the outcome holds what was found so far
  vector::Helper help = nullptr;     // other threads for a part of the work; may be empty
  SearchProfile* profile = nullptr;  // to fill; null: none
};

// One search index over documents with string values: the meaning of FT.* without the server.
// Search() and Stats() may run on many threads at once; Put() and Remove() need exclusive access.
class Index {
 public:
  // `memory` outlives the index.
  static base::Result<std::unique_ptr<Index>> Create(IndexDefinition definition, base::MemoryResource& memory);
  ~Index();

  // Adds the document or replaces its values. A malformed value takes the whole document out of the index, is counted,
  // and is the error returned.
  base::Status Put(std::string_view key, FieldValues values);
  bool Remove(std::string_view key);

  // `added` are the indexes of `fields`, which come after those there are. No document has a value in them yet.
  void AddFields(std::span<const Field> fields, FieldIndexes added);

  // In a file: the ids of the documents, then the graphs of fields. The rest comes again with the keys. Saving takes no
  // lock. Loading is for an index without documents, first its ids; after an error the index is as before. Until
  // DropUnconfirmed() a document that was loaded waits for its Put(); that drops those that had none, and counts them.
  std::vector<size_t> GraphFields() const;
  void SaveDocuments(base::SectionWriter& out) const { documents_.Save(out); }
  void SaveGraph(size_t field, base::SectionWriter& out) const;
  base::Status LoadDocuments(base::SectionReader& in);
  base::Status LoadGraph(size_t field, base::SectionReader& in);
  size_t DropUnconfirmed();

  // KNN searches of one field share a pass over its vectors.
  std::vector<SearchOutcome> SearchMany(std::span<const SearchTask> tasks) const;
  SearchOutcome Search(const SearchPlan& plan, std::function<bool()> stop = nullptr) const;

  // See SearchCost.
  bool IsShort(const SearchPlan& plan) const;

  const IndexDefinition& definition() const { return definition_; }
  size_t size() const { return documents_.size(); }
  IndexStats Stats() const;
  std::vector<std::string> Keys() const;
  // Those of its fields; other threads link what is staged in them.
  std::vector<std::shared_ptr<vector::HnswIndex>> Graphs() const;
  const std::shared_ptr<vector::HnswIndex>& Graph(size_t field) const;
  // Whether Graphs() answers others since this was asked.
  bool TakeNewGraphs();
  // Keys of up to `count` documents that have a vector in a graph, at random, each once. `seed` decides which.
  std::vector<std::string> SampleVectors(size_t field, size_t count, uint64_t seed) const;
  // The tags of a TAG field, in order.
  std::vector<std::string> Tags(size_t field) const;

 private:
  struct Candidate {
    Id id = 0;
    double distance = 0;
    SortKey sort_key = {};
    std::vector<double> range_distances = {};
    double score = 0;
  };

  Index(IndexDefinition definition, base::MemoryResource& memory);
  base::Status Check(std::string_view key, FieldValues values);
  base::Status Store(Id id, FieldValues values);
  void RemoveId(Id id);
  void UseLanguage(std::string_view language);
  void SetScore(Id id, const std::optional<std::string_view>& text);
  void Confirm(Id id);
  base::Status Fail(size_t field, std::string_view key, base::Status error);

  // What the task's filter lets through.
  IdSet Evaluate(const SearchTask& task, RangeDistances& distances, SearchOutcome& outcome) const;
  using Candidates = std::vector<Candidate>;
  void FindNearest(size_t field, std::span<const SearchTask> tasks, std::vector<Candidates>& found,
                   std::vector<SearchOutcome>& outcomes) const;
  static std::string VectorPlan(const vector::HnswResult& found, size_t matching, size_t documents);
  vector::HnswResult SearchGraph(const KnnClause& knn, const IdSet* filter, std::function<bool()> stop) const;
  Candidates FindInGraph(const SearchTask& task, SearchOutcome& outcome) const;
  Candidates Matching(const SearchTask& task, SearchOutcome& outcome) const;
  void Finish(const SearchPlan& plan, Candidates candidates, SearchOutcome& outcome) const;
  SortKey SortKeyOf(const SearchPlan& plan, const Candidate& candidate) const;
  void Sort(const SearchPlan& plan, Candidates& candidates) const;
  void Score(const SearchTask& task, Candidates& candidates, SearchOutcome& outcome) const;

  IndexDefinition definition_;
  base::StdMemoryAdapter std_memory_;
  DocumentTable documents_;
  std::optional<IdSet> unconfirmed_;  // loaded, and their keys not seen yet
  FieldIndexes fields_;
  std::pmr::vector<float> scores_;  // by id, of a definition with a SCORE_FIELD
  FailureCounter failures_;
  std::vector<FailureCounter> field_failures_;
};

}  // namespace redoubt::search
