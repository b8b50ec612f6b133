#include "search/live_index.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <new>
#include <utility>

namespace redoubt::search {
namespace {

constexpr size_t kAll = SIZE_MAX;
constexpr size_t kWritersShare = 64;  // well below a millisecond of work

}  // namespace

Result<std::shared_ptr<LiveIndex>> LiveIndex::Create(IndexDefinition definition, base::MemoryResource& memory,
                                                     Wake wake, base::ForkGate* gate, Discard discard) {
  ASSIGN_OR_RETURN(std::unique_ptr<Index> index, Index::Create(definition, memory));
  // A command that waits holds it too, and may be the last to do so, on the main thread.
  auto release = [discard](LiveIndex* live) {
    std::shared_ptr<void> garbage(live, [](void* index) { delete static_cast<LiveIndex*>(index); });
    if (discard) discard(std::move(garbage));
  };
  std::shared_ptr<LiveIndex> live(
      new LiveIndex(std::move(definition), memory, std::move(wake), gate, std::move(discard)), release);
  live->work_.Serve(index->Graphs());
  live->index_ = std::move(index);
  return live;
}

void LiveIndex::Put(std::string_view key, FieldValues values) {
  std::unique_lock lock(index_mu_, std::try_to_lock);
  if (lock.owns_lock() && ApplyQueue(kWritersShare)) {
    {
      base::ForkGate::Pass pass(gate_);
      (void)index_->Put(key, values);  // a failure is counted by the index
    }
    WakeWorkers();
    return;
  }
  if (lock.owns_lock()) lock.unlock();
  try {
    EnqueuePut(key, values);
  } catch (const std::bad_alloc&) {
    PutNow(key, values);
  }
}

void LiveIndex::EnqueuePut(std::string_view key, FieldValues values) {
  Change change = {Change::Kind::kPut, std::pmr::string(key, &std_memory_), {}, {}, {}};
  for (const auto& value : values) {
    if (value) {
      change.values.emplace_back(std::pmr::string(*value, &std_memory_));
    } else {
      change.values.emplace_back();
    }
  }
  Enqueue(std::move(change));
}

void LiveIndex::PutNow(std::string_view key, FieldValues values) {
  std::unique_lock lock(index_mu_);
  ApplyQueue(kAll);
  {
    base::ForkGate::Pass pass(gate_);
    (void)index_->Put(key, values);
  }
  WakeWorkers();
}

void LiveIndex::Remove(std::string_view key) {
  std::unique_lock lock(index_mu_, std::try_to_lock);
  if (lock.owns_lock() && ApplyQueue(kWritersShare)) {
    {
      base::ForkGate::Pass pass(gate_);
      index_->Remove(key);
    }
    WakeWorkers();
    return;
  }
  if (lock.owns_lock()) lock.unlock();
  Enqueue({Change::Kind::kRemove, std::pmr::string(key, &std_memory_), {}, {}, {}});
}

void LiveIndex::Clear() {
  FreeElsewhere(TakeVoid());
  Enqueue({Change::Kind::kClear, {}, {}, {}, {}});
}

std::deque<LiveIndex::Change> LiveIndex::TakeVoid() {
  std::lock_guard lock(queue_mu_);
  std::deque<Change> kept;
  for (Change& change : queue_) {
    if (change.kind == Change::Kind::kAddFields) kept.push_back(std::move(change));
  }
  queue_.swap(kept);
  queued_.store(queue_.size(), std::memory_order_release);
  return kept;
}

Status LiveIndex::AddFields(std::vector<Field> fields) {
  Change change;
  change.kind = Change::Kind::kAddFields;
  for (const Field& field : fields) {
    ASSIGN_OR_RETURN(std::unique_ptr<FieldIndex> index, FieldIndex::Create(field, definition_, memory_));
    change.indexes.push_back(std::move(index));
  }
  definition_.fields.insert(definition_.fields.end(), fields.begin(), fields.end());
  change.fields = std::move(fields);
  Enqueue(std::move(change));
  return base::OkStatus();
}

void LiveIndex::Enqueue(Change change) {
  {
    std::lock_guard lock(queue_mu_);
    queue_.push_back(std::move(change));
    queued_.store(queue_.size(), std::memory_order_release);
  }
  // The search that kept the index busy may have looked at the queue just before; it does not look again.
  TryApplyQueue(kWritersShare);
}

bool LiveIndex::TryApplyQueue(size_t at_most) {
  std::unique_lock lock(index_mu_, std::try_to_lock);
  return lock.owns_lock() && ApplyQueue(at_most);
}

bool LiveIndex::ApplyQueue(size_t at_most) {
  if (queued() == 0) return true;
  std::deque<Change> changes;
  {
    std::lock_guard lock(queue_mu_);
    if (queue_.size() <= at_most) {
      changes.swap(queue_);
    } else {
      auto end = queue_.begin() + static_cast<ptrdiff_t>(at_most);
      std::move(queue_.begin(), end, std::back_inserter(changes));
      queue_.erase(queue_.begin(), end);
    }
  }
  for (Change& change : changes) Apply(change);
  WakeWorkers();
  // Lowered after they were applied: whoever reads zero without a lock may rely on it.
  std::lock_guard lock(queue_mu_);
  queued_.store(queue_.size(), std::memory_order_release);
  return queue_.empty();
}

void LiveIndex::Apply(Change& change) {
  if (change.kind == Change::Kind::kClear) {
    FreeElsewhere(Reset());
    return;
  }
  base::ForkGate::Pass pass(gate_);
  switch (change.kind) {
    case Change::Kind::kPut: {
      std::vector<std::optional<std::string_view>> values(change.values.begin(), change.values.end());
      (void)index_->Put(change.key, values);  // a failure is counted by the index
      break;
    }
    case Change::Kind::kRemove:
      index_->Remove(change.key);
      break;
    case Change::Kind::kClear:
      break;
    case Change::Kind::kAddFields:
      index_->AddFields(change.fields, std::move(change.indexes));
      work_.Serve(index_->Graphs());
      break;
  }
}

std::unique_ptr<Index> LiveIndex::Reset() {
  base::ForkGate::Pass pass(gate_);
  Result<std::unique_ptr<Index>> fresh = Index::Create(index_->definition(), memory_);
  CHECK(fresh.ok());  // the same definition made one before
  index_.swap(*fresh);
  work_.Serve(index_->Graphs());
  return std::move(*fresh);
}

Status LiveIndex::LoadDocuments(base::SectionReader& in) {
  std::unique_lock lock(index_mu_);
  base::ForkGate::Pass pass(gate_);
  return index_->LoadDocuments(in);
}

Status LiveIndex::LoadGraph(size_t field, base::SectionReader& in) {
  std::unique_lock lock(index_mu_);
  {
    base::ForkGate::Pass pass(gate_);
    RETURN_IF_ERROR(index_->LoadGraph(field, in));
    work_.Serve(index_->Graphs());
  }
  WakeWorkers();
  return base::OkStatus();
}

size_t LiveIndex::DropUnconfirmed() {
  std::unique_lock lock(index_mu_);
  ApplyQueue(kAll);
  size_t dropped = 0;
  {
    base::ForkGate::Pass pass(gate_);
    dropped = index_->DropUnconfirmed();
  }
  WakeWorkers();
  return dropped;
}

void LiveIndex::WakeWorkers() {
  if (index_->TakeNewGraphs()) work_.Serve(index_->Graphs());
  if (wake_ && work_.pending()) wake_(shared_from_this());
}

std::shared_lock<std::shared_mutex> LiveIndex::LockForReading() {
  if (queued() > 0) {
    std::unique_lock lock(index_mu_);
    ApplyQueue(kAll);
  }
  return std::shared_lock(index_mu_);
}

void LiveIndex::DoneReading(std::shared_lock<std::shared_mutex> lock) {
  lock.unlock();
  if (queued() > 0) TryApplyQueue(kAll);
}

std::vector<SearchOutcome> LiveIndex::SearchMany(std::span<const SearchTask> tasks) {
  std::shared_lock lock = LockForReading();
  std::vector<SearchOutcome> outcomes = index_->SearchMany(tasks);
  DoneReading(std::move(lock));
  return outcomes;
}

SearchOutcome LiveIndex::Search(const SearchPlan& plan, std::function<bool()> stop) {
  const SearchTask task = {&plan, std::move(stop), nullptr};
  return std::move(SearchMany({&task, 1})[0]);
}

std::optional<SearchOutcome> LiveIndex::TrySearch(const SearchTask& task) {
  if (queued() > 0 && !TryApplyQueue(kWritersShare)) return std::nullopt;
  std::shared_lock lock(index_mu_, std::try_to_lock);
  if (!lock.owns_lock()) return std::nullopt;
  return std::move(index_->SearchMany({&task, 1})[0]);
}

IndexStats LiveIndex::Stats() {
  if (queued() > 0) TryApplyQueue(kAll);
  std::shared_lock lock(index_mu_, std::try_to_lock);
  std::lock_guard last(stats_mu_);
  if (lock.owns_lock()) last_stats_ = index_->Stats();
  return last_stats_;
}

std::vector<std::string> LiveIndex::Keys() {
  std::shared_lock lock = LockForReading();
  std::vector<std::string> keys = index_->Keys();
  DoneReading(std::move(lock));
  return keys;
}

std::vector<std::string> LiveIndex::Tags(size_t field) {
  std::shared_lock lock = LockForReading();
  std::vector<std::string> tags = index_->Tags(field);
  DoneReading(std::move(lock));
  return tags;
}

std::vector<std::string> LiveIndex::SampleVectors(size_t field, size_t count, uint64_t seed) {
  std::shared_lock lock = LockForReading();
  std::vector<std::string> keys = index_->SampleVectors(field, count, seed);
  DoneReading(std::move(lock));
  return keys;
}

std::shared_ptr<vector::HnswIndex> LiveIndex::Graph(size_t field) {
  std::shared_lock lock = LockForReading();
  std::shared_ptr<vector::HnswIndex> graph = index_->Graph(field);
  DoneReading(std::move(lock));
  return graph;
}

}  // namespace redoubt::search
