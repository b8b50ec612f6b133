#include "search/index.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <new>
#include <random>
#include <utility>

#include "base/check.h"
#include "search/graph_field.h"
#include "search/search_cost.h"
#include "search/several_vectors_field.h"
#include "search/tag_index.h"
#include "search/text_scorer.h"
#include "search/vector_field.h"

namespace redoubt::search {

using base::OkStatus;

Result<std::unique_ptr<Index>> Index::Create(IndexDefinition definition, base::MemoryResource& memory) {
  std::unique_ptr<Index> index(new Index(std::move(definition), memory));
  for (const Field& field : index->definition_.fields) {
    ASSIGN_OR_RETURN(std::unique_ptr<FieldIndex> fresh, FieldIndex::Create(field, index->definition_, memory));
    index->fields_.push_back(std::move(fresh));
  }
  return index;
}

Index::Index(IndexDefinition definition, base::MemoryResource& memory)
    : definition_(std::move(definition)), std_memory_(memory), documents_(&std_memory_), scores_(&std_memory_) {
  field_failures_.resize(definition_.fields.size());
}

Index::~Index() = default;

void Index::AddFields(std::span<const Field> fields, FieldIndexes added) {
  CHECK(fields.size() == added.size());
  definition_.fields.insert(definition_.fields.end(), fields.begin(), fields.end());
  for (std::unique_ptr<FieldIndex>& field : added) fields_.push_back(std::move(field));
  field_failures_.resize(definition_.fields.size());
}

std::vector<std::string> Index::Tags(size_t field) const { return fields_[field]->tags()->Texts(); }

Status Index::Fail(size_t field, std::string_view key, Status error) {
  failures_.Note(error.message(), key);
  field_failures_[field].Note(error.message(), key);
  return error;
}

// Before anything is stored, so that a document is indexed whole or not at all.
Status Index::Check(std::string_view key, FieldValues values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    if (Status status = fields_[i]->Check(*values[i]); !status.ok()) return Fail(i, key, std::move(status));
  }
  return OkStatus();
}

Status Index::Put(std::string_view key, FieldValues values) {
  CHECK(values.size() == fields_.size() + definition_.extra_values());
  const FieldValues extra = values.subspan(fields_.size());
  values = values.first(fields_.size());
  if (Status status = Check(key, values); !status.ok()) {
    Remove(key);
    return status;
  }
  Status stored;
  try {
    const Id id = documents_.FindOrAdd(key);
    Confirm(id);
    if (!definition_.language_field.empty()) UseLanguage(extra.back().value_or(std::string_view()));
    stored = Store(id, values);
    if (!definition_.score_field.empty()) SetScore(id, extra.front());
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
    if (Presence* presence = fields_[i]->presence()) presence->Set(id, values[i].has_value());
    if (values[i]) {
      RETURN_IF_ERROR(fields_[i]->Set(id, *values[i]));
    } else {
      fields_[i]->Clear(id);
    }
  }
  return OkStatus();
}

void Index::UseLanguage(std::string_view language) {
  for (const std::unique_ptr<FieldIndex>& field : fields_) field->UseLanguage(language);
}

// What is no score from 0 to 1 is as none.
void Index::SetScore(Id id, const std::optional<std::string_view>& text) {
  const std::optional<double> score = text ? ParseDouble(*text) : std::nullopt;
  const bool valid = score && *score >= 0 && *score <= 1;
  const auto none = static_cast<float>(definition_.default_score);
  if (id >= scores_.size()) scores_.resize(documents_.bound(), none);
  scores_[id] = valid ? static_cast<float>(*score) : none;
}

bool Index::Remove(std::string_view key) {
  std::optional<Id> id = documents_.Find(key);
  if (!id) return false;
  RemoveId(*id);
  return true;
}

void Index::Confirm(Id id) {
  if (unconfirmed_ && unconfirmed_->Contains(id)) unconfirmed_->Erase(id);
}

void Index::RemoveId(Id id) {
  Confirm(id);
  for (const std::unique_ptr<FieldIndex>& field : fields_) {
    field->Clear(id);
    if (Presence* presence = field->presence()) presence->Set(id, false);
  }
  documents_.Remove(id);
}

// The tasks among `tasks` whose KNN is over `field`.
void Index::FindNearest(size_t field, std::span<const SearchTask> tasks, std::vector<Candidates>& found,
                        std::vector<SearchOutcome>& outcomes) const {
  std::vector<size_t> positions;
  std::vector<vector::KnnQuery> queries;
  std::deque<IdSet> filters;  // a deque: the elements stay where they are
  std::vector<RangeDistances> distances;
  for (size_t i = 0; i < tasks.size(); ++i) {
    const Query& query = tasks[i].plan->query;
    if (!query.knn || query.knn->field != field) continue;
    positions.push_back(i);
    vector::KnnQuery& knn = queries.emplace_back(vector::KnnQuery{query.knn->blob, query.knn->k, nullptr, nullptr});
    distances.emplace_back();
    if (query.filter->kind != FilterNode::Kind::kAll) {
      knn.filter = &filters.emplace_back(Evaluate(tasks[i], distances.back(), outcomes[i]));
    }
    knn.help = tasks[i].help;
    if (tasks[i].stop) {
      knn.stop = [&stop = tasks[i].stop, &timed_out = outcomes[i].timed_out] { return timed_out = stop(); };
    }
  }
  if (queries.empty()) return;
  std::vector<std::vector<vector::Hit>> hits = SearchVectors(*fields_[field], queries);
  for (size_t q = 0; q < queries.size(); ++q) {
    const size_t names = tasks[positions[q]].plan->query.range_names.size();
    for (const vector::Hit& hit : hits[q]) {
      found[positions[q]].push_back({hit.id, hit.distance, {}, distances[q].Of(hit.id, names)});
    }
  }
}

vector::HnswResult Index::SearchGraph(const KnnClause& knn, const IdSet* filter, std::function<bool()> stop) const {
  const FieldIndex& field = *fields_[knn.field];
  const size_t ef = knn.ef_runtime.value_or(0);
  if (const VectorOwners* owners = field.owners()) {
    return SearchDocuments(*field.graph(), *owners, knn.blob, knn.k, ef, filter, stop);
  }
  const Id without = knn.without.empty() ? vector::kNoId : documents_.Find(knn.without).value_or(vector::kNoId);
  return field.graph()->Search(knn.blob, knn.k, ef, filter, std::move(stop), knn.exact, without);
}

Index::Candidates Index::FindInGraph(const SearchTask& task, SearchOutcome& outcome) const {
  const Query& query = task.plan->query;
  const KnnClause& knn = *query.knn;
  RangeDistances distances;
  std::optional<IdSet> filter;
  if (query.filter->kind != FilterNode::Kind::kAll) filter = Evaluate(task, distances, outcome);
  std::function<bool()> stop;
  if (task.stop) stop = [&] { return outcome.timed_out = task.stop(); };
  outcome.candidates = !fields_[knn.field]->graph()->exact_distances();
  Candidates candidates;
  const vector::HnswResult found = SearchGraph(knn, filter ? &*filter : nullptr, std::move(stop));
  if (task.profile != nullptr) task.profile->vector_plan = VectorPlan(found, filter ? filter->Count() : size(), size());
  for (const vector::Hit& hit : found.hits) {
    candidates.push_back({hit.id, hit.distance, {}, distances.Of(hit.id, query.range_names.size())});
  }
  return candidates;
}

std::string Index::VectorPlan(const vector::HnswResult& found, size_t matching, size_t documents) {
  constexpr const char* kPlans[] = {"walk of the graph", "walk of the graph over documents that pass the filter",
                                    "walk of the graph through neighbours' neighbours that pass the filter",
                                    "scan of the codes of documents that pass the filter"};
  return fmt::format("{}: {} distances of codes for {} of {} documents, {} candidates to measure exactly",
                     kPlans[static_cast<size_t>(found.plan)], found.measured, matching, documents, found.hits.size());
}

IdSet Index::Evaluate(const SearchTask& task, RangeDistances& distances, SearchOutcome& outcome) const {
  std::function<bool()> stop;
  if (task.stop) stop = [&] { return outcome.timed_out = task.stop(); };
  FilterEvaluator evaluator(documents_, fields_, stop, distances);
  evaluator.set_profile(task.profile);
  return evaluator.Evaluate(*task.plan->query.filter);
}

Index::Candidates Index::Matching(const SearchTask& task, SearchOutcome& outcome) const {
  Candidates candidates;
  RangeDistances distances;
  const size_t names = task.plan->query.range_names.size();
  Evaluate(task, distances, outcome).ForEach([&](Id id) {
    candidates.push_back({id, 0, {}, distances.Of(id, names)});
    return true;
  });
  if (task.plan->scored()) Score(task, candidates, outcome);
  return candidates;
}

void Index::Score(const SearchTask& task, Candidates& candidates, SearchOutcome& outcome) const {
  const SearchPlan& plan = *task.plan;
  for (Candidate& candidate : candidates) {
    const bool known = candidate.id < scores_.size();
    candidate.score = known ? double{scores_[candidate.id]} : definition_.default_score;
  }
  if (plan.scorer == Scorer::kDocument) return;
  std::vector<Id> ids;
  for (const Candidate& candidate : candidates) ids.push_back(candidate.id);
  std::function<bool()> stop;
  if (task.stop) stop = [&] { return outcome.timed_out = task.stop(); };
  const std::vector<double> scores = TextScorer(documents_, fields_, stop).Score(*plan.query.filter, ids);
  for (size_t i = 0; i < candidates.size(); ++i) candidates[i].score *= scores[i];
}

SortKey Index::SortKeyOf(const SearchPlan& plan, const Candidate& candidate) const {
  if (plan.sort == SortKind::kDistance) return candidate.distance;
  if (plan.sort == SortKind::kNone || plan.sort == SortKind::kScore) return {};
  if (plan.sort == SortKind::kRangeDistance) {
    const double distance = candidate.range_distances[plan.sort_field];
    return std::isnan(distance) ? SortKey() : SortKey(distance);
  }
  return fields_[plan.sort_field]->SortKeyOf(candidate.id);
}

// Only the part that LIMIT shows has to be in order. Documents without a key come last in either direction.
void Index::Sort(const SearchPlan& plan, Candidates& candidates) const {
  if (plan.sort == SortKind::kNone) return;
  const size_t shown = std::min(candidates.size(), plan.offset + plan.limit);
  const auto end = candidates.begin() + static_cast<ptrdiff_t>(shown);
  if (plan.sort == SortKind::kScore) {
    std::partial_sort(candidates.begin(), end, candidates.end(), [](const Candidate& a, const Candidate& b) {
      return a.score != b.score ? a.score > b.score : a.id < b.id;
    });
    return;
  }
  for (Candidate& candidate : candidates) candidate.sort_key = SortKeyOf(plan, candidate);
  auto before = [&](const Candidate& a, const Candidate& b) {
    bool a_has = a.sort_key.index() != 0;
    bool b_has = b.sort_key.index() != 0;
    if (a_has != b_has) return a_has;
    if (a.sort_key != b.sort_key) return plan.ascending ? a.sort_key < b.sort_key : b.sort_key < a.sort_key;
    return a.id < b.id;
  };
  std::partial_sort(candidates.begin(), end, candidates.end(), before);
}

void Index::Finish(const SearchPlan& plan, Candidates candidates, SearchOutcome& outcome) const {
  size_t begin = plan.offset;
  size_t end = candidates.size();
  if (outcome.candidates) {  // sorted and cut when they are ranked
    begin = 0;
    for (Candidate& candidate : candidates) candidate.sort_key = SortKeyOf(plan, candidate);
  } else {
    Sort(plan, candidates);
    if (end > plan.offset && end - plan.offset > plan.limit) end = plan.offset + plan.limit;
  }
  outcome.total = candidates.size();
  const bool with_keys = plan.with_keys || outcome.candidates;
  if (with_keys) {
    for (size_t i = begin; i < end; ++i) documents_.PrefetchKey(candidates[i].id);
  }
  outcome.documents.reserve(end - std::min(begin, end));
  for (size_t i = begin; i < end; ++i) {
    Candidate& candidate = candidates[i];
    FoundDocument& document = outcome.documents.emplace_back();
    if (with_keys) document.key = documents_.Key(candidate.id);
    document.distance = candidate.distance;
    document.score = candidate.score;
    document.sort_key = std::move(candidate.sort_key);
    document.range_distances = std::move(candidate.range_distances);
    document.columns.reserve(plan.columns.size());
    for (size_t column : plan.columns) document.columns.push_back(fields_[column]->SortKeyOf(candidate.id));
  }
}

std::vector<SearchOutcome> Index::SearchMany(std::span<const SearchTask> tasks) const {
  std::vector<SearchOutcome> outcomes(tasks.size());
  std::vector<Candidates> found(tasks.size());
  for (size_t field = 0; field < fields_.size(); ++field) {
    if (fields_[field]->vectors() != nullptr) FindNearest(field, tasks, found, outcomes);
  }
  for (size_t i = 0; i < tasks.size(); ++i) {
    const SearchPlan& plan = *tasks[i].plan;
    if (!plan.query.knn) found[i] = Matching(tasks[i], outcomes[i]);
    if (plan.query.knn && plan.query.knn->graph) found[i] = FindInGraph(tasks[i], outcomes[i]);
    Finish(plan, std::move(found[i]), outcomes[i]);
  }
  return outcomes;
}

SearchOutcome Index::Search(const SearchPlan& plan, std::function<bool()> stop) const {
  const SearchTask task = {&plan, std::move(stop), nullptr};
  return std::move(SearchMany({&task, 1})[0]);
}

bool Index::IsShort(const SearchPlan& plan) const { return SearchCost(fields_, documents_.bound()).IsShort(plan); }

IndexStats Index::Stats() const {
  IndexStats stats;
  stats.documents = documents_.size();
  stats.document_id_bound = documents_.bound();
  stats.key_bytes = documents_.memory_bytes() + scores_.capacity() * sizeof(float);
  stats.failures = failures_;
  stats.field_failures = field_failures_;
  for (const std::unique_ptr<FieldIndex>& field : fields_) field->AddTo(stats);
  return stats;
}

std::vector<std::shared_ptr<vector::HnswIndex>> Index::Graphs() const {
  std::vector<std::shared_ptr<vector::HnswIndex>> graphs;
  for (const std::unique_ptr<FieldIndex>& field : fields_) {
    if (field->graph() != nullptr) graphs.push_back(field->graph()->index());
  }
  return graphs;
}

bool Index::TakeNewGraphs() {
  bool any = false;
  for (const std::unique_ptr<FieldIndex>& field : fields_) any |= field->TakeRenewed();
  return any;
}

const std::shared_ptr<vector::HnswIndex>& Index::Graph(size_t field) const { return fields_[field]->graph()->index(); }

std::vector<std::string> Index::SampleVectors(size_t field, size_t count, uint64_t seed) const {
  const vector::HnswIndex& graph = *fields_[field]->graph()->index();
  std::vector<std::string> keys;
  if (documents_.bound() == 0) return keys;
  std::mt19937_64 random(seed);
  IdSet taken(documents_.bound());
  // Few ids may be in use after a mass deletion: then as many as are met.
  for (size_t tries = 0; tries < 100 * count && keys.size() < std::min(count, graph.size()); ++tries) {
    const Id id = static_cast<Id>(random() % documents_.bound());
    if (taken.Contains(id) || !graph.Contains(id)) continue;
    taken.Insert(id);
    keys.emplace_back(documents_.Key(id));
  }
  return keys;
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
