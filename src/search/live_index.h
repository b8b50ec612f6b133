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
#include <vector>

#include "base/thread_annotations.h"
#include "search/graph_work.h"
#include "search/index.h"

namespace redoubt::search {

// An Index that one thread writes while others search it.
//   The writer never waits for a search: while one runs, its changes queue up, and it works off only a little of the
//   queue at a time.
//   A search sees every change that was made before it began: it applies the queue first.
class LiveIndex : public std::enable_shared_from_this<LiveIndex> {
 public:
  // Called by the thread that made work for the graphs of the index, with no lock held but exclusive access to it: it
  // has other threads call work().Run().
  using Wake = std::function<void(const std::shared_ptr<LiveIndex>&)>;

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

  // From any thread. Waits for other searches only when there are changes to apply.
  std::vector<SearchOutcome> SearchMany(std::span<const SearchTask> tasks);
  SearchOutcome Search(const SearchPlan& plan, std::function<bool()> stop = nullptr);
  // From the writer's thread: the same without waiting for anybody. Nothing when it would have to.
  std::optional<SearchOutcome> TrySearch(const SearchTask& task);
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

 private:
  struct Change {
    enum class Kind { kPut, kRemove, kClear, kAddFields };
    Kind kind = Kind::kPut;
    std::pmr::string key;
    std::vector<std::optional<std::pmr::string>> values;
    std::vector<Field> fields;
    FieldIndexes indexes;  // of the fields
  };

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
  bool TryApplyQueue(size_t at_most);
  // The oldest changes, with index_mu_ held exclusively. True when none is left.
  bool ApplyQueue(size_t at_most);
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
  std::atomic<size_t> queued_ = 0;
};

}  // namespace redoubt::search
