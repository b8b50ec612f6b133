#include "search/index.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <new>
#include <utility>

#include "base/check.h"

namespace redoubt::search {

using base::OkStatus;

void FailureCounter::Note(std::string_view error, std::string_view key) {
  ++count;
  last_error = error;
  last_key = key;
}

Result<std::unique_ptr<Index>> Index::Create(IndexDefinition definition, base::MemoryResource& memory) {
  std::unique_ptr<Index> index(new Index(std::move(definition), memory));
  for (const Field& field : index->definition_.fields) RETURN_IF_ERROR(index->AddFieldIndex(field, memory));
  return index;
}

Index::Index(IndexDefinition definition, base::MemoryResource& memory)
    : definition_(std::move(definition)), std_memory_(memory), documents_(&std_memory_) {
  field_failures_.resize(definition_.fields.size());
}

Index::~Index() = default;

Status Index::AddFieldIndex(const Field& field, base::MemoryResource& memory) {
  FieldIndex index;
  switch (field.type) {
    case FieldType::kTag:
      index.tags = std::make_unique<TagIndex>(field.tag, &std_memory_);
      break;
    case FieldType::kNumeric:
      index.numbers = std::make_unique<NumericIndex>(!field.no_index, &std_memory_);
      break;
    case FieldType::kVector: {
      ASSIGN_OR_RETURN(index.vectors, vector::FlatIndex::Create({field.vector.dim, field.vector.metric, &memory}));
      break;
    }
  }
  fields_.push_back(std::move(index));
  return OkStatus();
}

Status Index::Fail(size_t field, std::string_view key, std::string error) {
  failures_.Note(error, key);
  field_failures_[field].Note(error, key);
  return base::InvalidArgument(std::move(error));
}

// Before anything is stored, so that a document is indexed whole or not at all.
Status Index::Check(std::string_view key, FieldValues values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    const Field& field = definition_.fields[i];
    if (field.type == FieldType::kVector && values[i]->size() != field.vector.blob_bytes()) {
      return Fail(i, key,
                  fmt::format("Could not add vector with blob size {} (expected size {})", values[i]->size(),
                              field.vector.blob_bytes()));
    }
    if (field.type == FieldType::kNumeric && !ParseDouble(*values[i])) {
      return Fail(i, key, fmt::format("Invalid numeric value: '{}'", values[i]->substr(0, 64)));
    }
  }
  return OkStatus();
}

Status Index::Put(std::string_view key, FieldValues values) {
  CHECK(values.size() == fields_.size());
  if (Status status = Check(key, values); !status.ok()) {
    Remove(key);
    return status;
  }
  Status stored;
  try {
    stored = Store(documents_.FindOrAdd(key), values);
  } catch (const std::bad_alloc&) {
    stored = base::ResourceExhausted("no memory to index the document");
  }
  if (!stored.ok()) {
    failures_.Note(stored.message(), key);
    Remove(key);
  }
  return stored;
}

Status Index::Store(Id id, FieldValues values) {
  for (size_t i = 0; i < values.size(); ++i) {
    FieldIndex& field = fields_[i];
    const std::optional<std::string_view>& value = values[i];
    if (field.tags != nullptr) {
      value ? field.tags->Set(id, *value) : field.tags->Clear(id);
    } else if (field.numbers != nullptr) {
      value ? field.numbers->Set(id, *ParseDouble(*value)) : field.numbers->Clear(id);
    } else if (value) {
      std::vector<float> vector(field.vectors->dim());
      std::memcpy(vector.data(), value->data(), value->size());
      RETURN_IF_ERROR(field.vectors->Add(id, vector));
    } else {
      field.vectors->Remove(id);
    }
  }
  return OkStatus();
}

bool Index::Remove(std::string_view key) {
  std::optional<Id> id = documents_.Find(key);
  if (!id) return false;
  RemoveId(*id);
  return true;
}

void Index::RemoveId(Id id) {
  for (FieldIndex& field : fields_) {
    if (field.tags != nullptr) field.tags->Clear(id);
    if (field.numbers != nullptr) field.numbers->Clear(id);
    if (field.vectors != nullptr) field.vectors->Remove(id);
  }
  documents_.Remove(id);
}

IdSet Index::Evaluate(const FilterNode& node) const {
  IdSet set(documents_.bound());
  switch (node.kind) {
    case FilterNode::Kind::kAll:
      return documents_.All();
    case FilterNode::Kind::kTag:
      fields_[node.field].tags->Collect(node.tags, set);
      return set;
    case FilterNode::Kind::kNumeric:
      fields_[node.field].numbers->Collect(node.range, set);
      return set;
    case FilterNode::Kind::kNot:
      set = documents_.All();
      set.Subtract(Evaluate(*node.children[0]));
      return set;
    case FilterNode::Kind::kOr:
      for (const auto& child : node.children) set.UniteWith(Evaluate(*child));
      return set;
    case FilterNode::Kind::kAnd:
      set = Evaluate(*node.children[0]);
      for (size_t i = 1; i < node.children.size(); ++i) set.IntersectWith(Evaluate(*node.children[i]));
      return set;
  }
  return set;
}

// The tasks among `tasks` whose KNN is over `field`.
void Index::FindNearest(size_t field, std::span<const SearchTask> tasks, std::vector<Candidates>& found,
                        std::vector<SearchOutcome>& outcomes) const {
  std::vector<size_t> positions;
  std::vector<vector::KnnQuery> queries;
  std::deque<IdSet> filters;  // a deque: the elements stay where they are
  for (size_t i = 0; i < tasks.size(); ++i) {
    const Query& query = tasks[i].plan->query;
    if (!query.knn || query.knn->field != field) continue;
    positions.push_back(i);
    vector::KnnQuery& knn = queries.emplace_back(vector::KnnQuery{query.knn->vector, query.knn->k, nullptr, nullptr});
    if (query.filter->kind != FilterNode::Kind::kAll) knn.filter = &filters.emplace_back(Evaluate(*query.filter));
    if (tasks[i].stop) {
      knn.stop = [&stop = tasks[i].stop, &timed_out = outcomes[i].timed_out] { return timed_out = stop(); };
    }
  }
  if (queries.empty()) return;
  std::vector<std::vector<vector::Hit>> hits = fields_[field].vectors->SearchMany(queries);
  for (size_t q = 0; q < queries.size(); ++q) {
    for (const vector::Hit& hit : hits[q]) found[positions[q]].push_back({hit.id, hit.distance, {}});
  }
}

Index::Candidates Index::Matching(const SearchPlan& plan) const {
  Candidates candidates;
  Evaluate(*plan.query.filter).ForEach([&](Id id) {
    candidates.push_back({id, 0, {}});
    return true;
  });
  return candidates;
}

SortKey Index::SortKeyOf(const SearchPlan& plan, const Candidate& candidate) const {
  if (plan.sort == SortKind::kDistance) return candidate.distance;
  if (plan.sort == SortKind::kNone) return {};
  const FieldIndex& field = fields_[plan.sort_field];
  if (field.numbers != nullptr) {
    double value = field.numbers->Value(candidate.id);
    return std::isnan(value) ? SortKey() : SortKey(value);
  }
  return field.tags->Has(candidate.id) ? SortKey(field.tags->SortKey(candidate.id)) : SortKey();
}

// Only the part that LIMIT shows has to be in order. Documents without a key come last in either direction.
void Index::Sort(const SearchPlan& plan, Candidates& candidates) const {
  if (plan.sort == SortKind::kNone) return;
  for (Candidate& candidate : candidates) candidate.sort_key = SortKeyOf(plan, candidate);
  auto before = [&](const Candidate& a, const Candidate& b) {
    bool a_has = a.sort_key.index() != 0;
    bool b_has = b.sort_key.index() != 0;
    if (a_has != b_has) return a_has;
    if (a.sort_key != b.sort_key) return plan.ascending ? a.sort_key < b.sort_key : b.sort_key < a.sort_key;
    return a.id < b.id;
  };
  size_t shown = std::min(candidates.size(), plan.offset + plan.limit);
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(shown), candidates.end(), before);
}

void Index::Finish(const SearchPlan& plan, Candidates candidates, SearchOutcome& outcome) const {
  Sort(plan, candidates);
  outcome.total = candidates.size();
  for (size_t i = plan.offset; i < candidates.size() && i - plan.offset < plan.limit; ++i) {
    Candidate& candidate = candidates[i];
    outcome.documents.push_back(
        {std::string(documents_.Key(candidate.id)), candidate.distance, std::move(candidate.sort_key)});
  }
}

std::vector<SearchOutcome> Index::SearchMany(std::span<const SearchTask> tasks) const {
  std::vector<SearchOutcome> outcomes(tasks.size());
  std::vector<Candidates> found(tasks.size());
  for (size_t field = 0; field < fields_.size(); ++field) {
    if (fields_[field].vectors != nullptr) FindNearest(field, tasks, found, outcomes);
  }
  for (size_t i = 0; i < tasks.size(); ++i) {
    const SearchPlan& plan = *tasks[i].plan;
    if (!plan.query.knn) found[i] = Matching(plan);
    Finish(plan, std::move(found[i]), outcomes[i]);
  }
  return outcomes;
}

SearchOutcome Index::Search(const SearchPlan& plan, std::function<bool()> stop) const {
  const SearchTask task = {&plan, std::move(stop)};
  return std::move(SearchMany({&task, 1})[0]);
}

IndexStats Index::Stats() const {
  IndexStats stats;
  stats.documents = documents_.size();
  stats.document_id_bound = documents_.bound();
  stats.key_bytes = documents_.memory_bytes();
  stats.failures = failures_;
  stats.field_failures = field_failures_;
  for (const FieldIndex& field : fields_) {
    if (field.tags != nullptr) {
      stats.distinct_tags += field.tags->distinct_tags();
      stats.records += field.tags->postings();
      stats.tag_bytes += field.tags->memory_bytes();
    } else if (field.numbers != nullptr) {
      stats.records += field.numbers->size();
      stats.numeric_bytes += field.numbers->memory_bytes();
    } else {
      stats.vector_bytes += field.vectors->memory_bytes();
    }
  }
  return stats;
}

std::vector<std::string> Index::Keys() const {
  std::vector<std::string> keys;
  documents_.All().ForEach([&](Id id) {
    keys.emplace_back(documents_.Key(id));
    return true;
  });
  return keys;
}

}  // namespace redoubt::search
