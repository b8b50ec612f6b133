#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/thread_annotations.h"
#include "search/graph_work.h"
#include "search/index.h"

namespace redoubt::search {

// An Index that one thread writes while others search it.
//   The writer never waits for a search: while one runs, its changes queue up, and it works off only a little of the
//   queue at a time.
//   A search sees every change that was made before it began: it applies the queue first.
//   The queue is bounded: a search that runs longer than it takes to fill it begins again, see QueueLimits.
class LiveIndex : public std::enable_shared_from_this<LiveIndex> {
 public:
  // Called by the thread that made work for the graphs of the index, with no lock held but exclusive access to it: it
  // has other threads call work().Run().
  using Wake = std::function<void(const std::shared_ptr<LiveIndex>&)>;

  // Bytes of changes that wait. Beyond `restart` a search that is under way stops, the changes are applied, and it
  // begins again; each time it may wait for twice as much, up to `most`. The last time it is over with what it has
  // found, like one that ran out of time. Beyond `most` the writer applies changes itself, a few milliseconds per
  // change at most.
  struct QueueLimits {
    size_t restart = size_t{16} << 20;
    size_t most = size_t{128} << 20;
  };

  // Takes what may take long to free, on any thread, to free it on another one.
  using Discard = std::function<void(std::shared_ptr<void>)>;

  // `gate`, if there is one, outlives the index: every change of it passes the gate. `discard` takes what Clear()
  // drops, and the index itself, whoever lets go of it last; without it both are freed in place.
  static base::Result<std::shared_ptr<LiveIndex>> Create(IndexDefinition definition, base::MemoryResource& memory,
                                                         Wake wake = nullptr, base::ForkGate* gate = nullptr,
                                                         Discard discard = nullptr);

  // Only from the writer's thread. Values are copied when they have to wait.
  void Put(std::string_view key, FieldValues values);
  void Remove(std::string_view key);
  void Clear();
  // Fields that documents may have from now on. The error is that of an index that cannot be made.
  base::Status AddFields(std::vector<Field> fields);

  // While a file is loaded, when nobody searches: see Index. From the writer's thread.
  base::Status LoadDocuments(base::SectionReader& in);
  base::Status LoadGraph(size_t field, base::SectionReader& in);
  size_t DropUnconfirmed();
  // With the gate closed, for a save. Changes that wait are not in it.
  const Index& AsItStands() const { return *index_; }

  // From any thread. Waits for other searches only when there are changes to apply; the writer's thread for none, it
  // has them begin again.
  std::vector<SearchOutcome> SearchMany(std::span<const SearchTask> tasks);
  SearchOutcome Search(const SearchPlan& plan, std::function<bool()> stop = nullptr);
  // From the writer's thread: the same for a short one (see SearchCost) without waiting for anybody. Nothing when it
  // would have to, or is not short.
  std::optional<SearchOutcome> TryShortSearch(const SearchTask& task);
  // Without waiting for anybody: while a search or a writer is at work it may lack the latest changes.
  IndexStats Stats();
  std::vector<std::string> Keys();
  std::vector<std::string> Tags(size_t field);
  std::vector<std::string> SampleVectors(size_t field, size_t count, uint64_t seed);
  // Of a field over a graph. Any thread; it may live on.
  std::shared_ptr<vector::HnswIndex> Graph(size_t field);

  // Of the writer's thread.
  const IndexDefinition& definition() const { return definition_; }
  GraphWork& work() { return work_; }
  size_t queued() const { return queued_.load(std::memory_order_acquire); }
  size_t queued_bytes() const { return queued_bytes_.load(std::memory_order_relaxed); }
  uint64_t restarted_searches() const { return restarted_searches_.load(std::memory_order_relaxed); }
  // Before anybody searches.
  void set_queue_limits(QueueLimits limits) { limits_ = limits; }

 private:
  struct Change {
    enum class Kind { kPut, kRemove, kClear, kAddFields };
    Kind kind = Kind::kPut;
    std::pmr::string key;
    std::vector<std::optional<std::pmr::string>> values;
    std::vector<Field> fields;
    FieldIndexes indexes;  // of the fields
    uint64_t number = 0;   // in the order in which they came
    size_t bytes = 0;
  };
  class Urgent;

  LiveIndex(IndexDefinition definition, base::MemoryResource& memory, Wake wake, base::ForkGate* gate, Discard discard)
      : definition_(std::move(definition)),
        memory_(memory),
        wake_(std::move(wake)),
        discard_(std::move(discard)),
        gate_(gate),
        work_(gate),
        std_memory_(memory) {}

  void Enqueue(Change change);
  void EnqueuePut(std::string_view key, FieldValues values);
  // Waits for searches.
  void PutNow(std::string_view key, FieldValues values);
  void MakeRoom();
  bool TryApplyQueue(size_t at_most);
  // The oldest changes, with index_mu_ held exclusively. True when none is left.
  bool ApplyQueue(size_t at_most);
  // The same for about a millisecond.
  bool ApplySlice();
  // Slice by slice, up to that change. False when that would mean to wait for others and `waits` is not set.
  bool ApplyUntil(uint64_t number, bool waits);
  void GiveWay() const;
  void Apply(Change& change);
  // Answers the index there was.
  std::unique_ptr<Index> Reset();
  // Takes the changes off the queue that a Clear() after them makes void.
  std::deque<Change> TakeVoid();
  template <typename T>
  void FreeElsewhere(T garbage) const {
    auto shared = std::make_shared<T>(std::move(garbage));
    if (discard_) discard_(std::move(shared));
  }
  void WakeWorkers();
  std::shared_lock<std::shared_mutex> LockForReading();
  void DoneReading(std::shared_lock<std::shared_mutex> lock);
  bool IsWriter() const { return std::this_thread::get_id() == writer_; }
  // Whether a search that lets `most` bytes wait has to end.
  bool MustYield(size_t most) const { return queued_bytes() > most || urgent_.load(std::memory_order_relaxed) > 0; }
  uint64_t LastNumber();
  bool SearchOnce(std::span<const SearchTask> tasks, size_t most_queued, std::vector<SearchOutcome>& outcomes);

  IndexDefinition definition_;
  base::MemoryResource& memory_;
  const Wake wake_;
  const Discard discard_;
  base::ForkGate* const gate_;
  GraphWork work_;
  base::StdMemoryAdapter std_memory_;
  std::shared_mutex index_mu_;
  std::unique_ptr<Index> index_ GUARDED_BY(index_mu_);
  std::mutex stats_mu_;
  IndexStats last_stats_ GUARDED_BY(stats_mu_);
  std::mutex queue_mu_;  // taken after index_mu_ where both are
  std::deque<Change> queue_ GUARDED_BY(queue_mu_);
  uint64_t last_number_ GUARDED_BY(queue_mu_) = 0;
  std::atomic<size_t> queued_ = 0;
  std::atomic<size_t> queued_bytes_ = 0;
  std::atomic<uint64_t> applied_ = 0;  // the number of the last change that is in the index
  std::atomic<int> urgent_ = 0;        // the writer waits for the index
  std::atomic<uint64_t> restarted_searches_ = 0;
  QueueLimits limits_;
  const std::thread::id writer_ = std::this_thread::get_id();
};

}  // namespace redoubt::search
