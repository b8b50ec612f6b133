#include "search/live_index.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <new>
#include <utility>

#include "base/clock.h"

namespace redoubt::search {
namespace {

constexpr size_t kAll = SIZE_MAX;
constexpr size_t kWritersShare = 64;  // well below a millisecond of work
constexpr size_t kBetweenLooks = 16;
constexpr int64_t kSliceMicros = 1000;
constexpr int64_t kWriterWaitsMicros = 5000;  // at most, for others to leave the index
constexpr auto kPause = std::chrono::microseconds(50);

int64_t Now() { return base::SystemClock().SteadyMicros(); }

}  // namespace

// While it lives the writer waits for the index: searches yield, and who applies changes lets it go first.
class LiveIndex::Urgent {
 public:
  explicit Urgent(LiveIndex& index) : index_(index) { index_.urgent_.fetch_add(1); }
  ~Urgent() { index_.urgent_.fetch_sub(1); }
  Urgent(const Urgent&) = delete;
  Urgent& operator=(const Urgent&) = delete;

 private:
  LiveIndex& index_;
};

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
  Change change;
  change.key = std::pmr::string(key, &std_memory_);
  change.values.reserve(values.size());
  for (const auto& value : values) {
    if (value) {
      change.bytes += value->size();
      change.values.emplace_back(std::pmr::string(*value, &std_memory_));
    } else {
      change.values.emplace_back();
    }
  }
  Enqueue(std::move(change));
}

void LiveIndex::PutNow(std::string_view key, FieldValues values) {
  const Urgent urgent(*this);
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
  Change change;
  change.kind = Change::Kind::kRemove;
  change.key = std::pmr::string(key, &std_memory_);
  Enqueue(std::move(change));
}

void LiveIndex::Clear() {
  FreeElsewhere(TakeVoid());
  Change change;
  change.kind = Change::Kind::kClear;
  Enqueue(std::move(change));
}

std::deque<LiveIndex::Change> LiveIndex::TakeVoid() {
  std::lock_guard lock(queue_mu_);
  std::deque<Change> kept;
  std::deque<Change> taken;
  for (Change& change : queue_) {
    const bool keep = change.kind == Change::Kind::kAddFields;
    if (!keep) queued_bytes_.fetch_sub(change.bytes, std::memory_order_relaxed);
    (keep ? kept : taken).push_back(std::move(change));
  }
  queue_.swap(kept);
  queued_.store(queue_.size(), std::memory_order_release);
  return taken;
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
  change.bytes += sizeof(Change) + change.key.size() + change.values.size() * sizeof(change.values[0]);
  {
    std::lock_guard lock(queue_mu_);
    change.number = ++last_number_;
    queued_bytes_.fetch_add(change.bytes, std::memory_order_relaxed);
    queue_.push_back(std::move(change));
    queued_.store(queue_.size(), std::memory_order_release);
  }
  // The search that kept the index busy may have looked at the queue just before; it does not look again.
  TryApplyQueue(kWritersShare);
  if (queued_bytes() > limits_.most) MakeRoom();
}

// Searches are ending by now, and threads that apply changes are slower than the writer makes them: so it takes its
// part. Whoever does not leave in time is waited for again with the next change.
void LiveIndex::MakeRoom() {
  const int64_t until_us = Now() + kWriterWaitsMicros;
  const Urgent urgent(*this);
  do {
    std::unique_lock lock(index_mu_, std::try_to_lock);
    if (lock.owns_lock()) {
      ApplySlice();
      return;
    }
    std::this_thread::sleep_for(kPause);
  } while (Now() < until_us);
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
  size_t bytes = 0;
  for (Change& change : changes) {
    Apply(change);
    bytes += change.bytes;
  }
  WakeWorkers();
  // Told after they were applied: whoever reads zero without a lock may rely on it.
  std::lock_guard lock(queue_mu_);
  queued_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  applied_.store(queue_.empty() ? last_number_ : queue_.front().number - 1, std::memory_order_release);
  queued_.store(queue_.size(), std::memory_order_release);
  return queue_.empty();
}

bool LiveIndex::ApplySlice() {
  const int64_t until_us = Now() + kSliceMicros;
  while (!ApplyQueue(kBetweenLooks)) {
    if (Now() >= until_us) return false;
  }
  return true;
}

bool LiveIndex::ApplyUntil(uint64_t number, bool waits) {
  while (applied_.load(std::memory_order_acquire) < number) {
    GiveWay();
    std::unique_lock lock(index_mu_, std::defer_lock);
    if (waits) {
      lock.lock();
    } else if (!lock.try_lock()) {
      return false;
    }
    ApplySlice();
  }
  return true;
}

// A lock that many want goes to whoever is awake, and not to the writer, which looks at it now and then.
void LiveIndex::GiveWay() const {
  if (IsWriter()) return;
  const int64_t until_us = Now() + kWriterWaitsMicros;
  while (urgent_.load() > 0 && Now() < until_us) std::this_thread::sleep_for(kPause);
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
    std::optional<Urgent> urgent;
    if (IsWriter()) urgent.emplace(*this);
    ApplyUntil(LastNumber(), true);
  }
  return std::shared_lock(index_mu_);
}

void LiveIndex::DoneReading(std::shared_lock<std::shared_mutex> lock) {
  lock.unlock();
  if (queued() > 0) ApplyUntil(LastNumber(), false);
}

uint64_t LiveIndex::LastNumber() {
  std::lock_guard lock(queue_mu_);
  return last_number_;
}

std::vector<SearchOutcome> LiveIndex::SearchMany(std::span<const SearchTask> tasks) {
  std::vector<SearchOutcome> outcomes;
  for (size_t most = limits_.restart; !SearchOnce(tasks, most, outcomes) && most < limits_.most; most *= 2) {
    restarted_searches_.fetch_add(1, std::memory_order_relaxed);
    for (const SearchTask& task : tasks) {
      if (task.profile != nullptr) *task.profile = {};
    }
  }
  return outcomes;
}

// False when it gave way to changes before it was done.
bool LiveIndex::SearchOnce(std::span<const SearchTask> tasks, size_t most_queued,
                           std::vector<SearchOutcome>& outcomes) {
  bool yielded = false;
  std::vector<SearchTask> yielding(tasks.begin(), tasks.end());
  for (SearchTask& task : yielding) {
    task.stop = [this, most_queued, &yielded, stop = std::move(task.stop)] {
      if (yielded || (stop && stop())) return true;
      yielded = MustYield(most_queued);
      return yielded;
    };
  }
  std::shared_lock lock = LockForReading();
  outcomes = index_->SearchMany(yielding);
  DoneReading(std::move(lock));
  return !yielded;
}

SearchOutcome LiveIndex::Search(const SearchPlan& plan, std::function<bool()> stop) {
  const SearchTask task = {&plan, std::move(stop), nullptr};
  return std::move(SearchMany({&task, 1})[0]);
}

std::optional<SearchOutcome> LiveIndex::TryShortSearch(const SearchTask& task) {
  if (queued() > 0 && !TryApplyQueue(kWritersShare)) return std::nullopt;
  std::shared_lock lock(index_mu_, std::try_to_lock);
  if (!lock.owns_lock() || !index_->IsShort(*task.plan)) return std::nullopt;
  return std::move(index_->SearchMany({&task, 1})[0]);
}

IndexStats LiveIndex::Stats() {
  if (queued() > 0) {
    std::unique_lock lock(index_mu_, std::try_to_lock);
    if (lock.owns_lock()) ApplySlice();
  }
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
