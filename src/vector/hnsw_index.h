#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/fork_gate.h"
#include "base/memory.h"
#include "base/result.h"
#include "base/section.h"
#include "base/thread_annotations.h"
#include "vector/codec.h"
#include "vector/distance.h"
#include "vector/epochs.h"
#include "vector/hnsw_graph.h"
#include "vector/hnsw_walk.h"
#include "vector/id_set.h"
#include "vector/top_k.h"

namespace redoubt::vector {

struct HnswOptions {
  size_t dim = 0;  // elements, 1..32768
  Metric metric = Metric::kL2;
  size_t m = 16;                 // links per node and upper level, 2..512; level 0 has twice as many
  size_t ef_construction = 200;  // candidates among which the links of a new node are chosen, 1..65536
  Storage storage = Storage::kInt8;
  std::vector<float> centre;  // a point in the middle of the data, such as the mean of a sample; empty: the origin
  double target_recall = 0;   // 0..1: Tune() finds the ef that it takes; 0: nobody asks
  uint64_t seed = 1;          // of the levels
  base::MemoryResource* memory = &base::DefaultMemory();  // outlives the index, serves many threads
};

// How a query is answered.
enum class HnswPlan { kWalk, kFilteredWalk, kTwoHopWalk, kScan };

struct HnswQuery {
  std::span<const float> vector;  // dim floats
  size_t k = 0;
  size_t ef = 0;                  // larger costs time and buys recall; raised to k
  const IdSet* filter = nullptr;  // hits are out of these; null: out of all
  std::function<bool()> stop;  // asked about every 100 us of work; when it answers true the hits so far are the result
  std::optional<HnswPlan> plan = {};  // none: by estimated cost; a walk still becomes a scan where it finds too few
  Id without = kNoId;                 // a walk goes as if this one were not in the index
  size_t more = 0;                    // hits beyond k, of what is met anyway: candidates for exact distances
};

enum class RepairProgress {
  kNone,     // nothing to do, or another thread does it
  kSome,     // and there may be more to do
  kWaiting,  // for operations under way to end
};

struct HnswResult {
  std::vector<Hit> hits;  // nearest first; distances are those of the codes
  HnswPlan plan = HnswPlan::kWalk;
  size_t measured = 0;  // distances
};

// How a graph is, at some moment of its life.
struct HnswHealth {
  size_t vectors = 0;
  size_t staged = 0;   // wait to be linked
  size_t removed = 0;  // places that wait for Repair()
  size_t levels = 0;
  size_t unreachable = 0;   // linked vectors that no way over level 0 leads to
  double mean_links = 0;    // on level 0, of linked vectors
  size_t fewest_links = 0;  // the same
};

// A graph index for approximate nearest neighbours (HNSW, Malkov & Yashunin 2016); see docs/design/hnsw.md.
// Everything may run on many threads at once, except two changes of the same id. Searches never wait for a change.
class HnswIndex {
 public:
  // Fails with InvalidArgument for options out of range.
  static base::Result<std::unique_ptr<HnswIndex>> Create(const HnswOptions& options);
  ~HnswIndex();

  // The graph that Save() wrote of an index with the same options, except ef_construction and seed; the centre is the
  // one of the file. `ids`: those that a
  // vector may have. Whatever is in `in`, the answer is an index that can be used or an error that says what is wrong
  // with it, FailedPrecondition where it is that of other options. Who calls it asks in.Finish().
  static base::Result<std::unique_ptr<HnswIndex>> Load(const HnswOptions& options, const IdSet& ids,
                                                       base::SectionReader& in);
  // Takes no lock, so that it may run in a forked child; nobody may be in a change, see base::ForkGate.
  void Save(base::SectionWriter& out) const;

  // Keeps the code of `vector` (dim floats). Replaces the vector if `id` exists. Ids index a table, so they should be
  // small and dense. InvalidArgument for an element that is not finite, ResourceExhausted when memory has no room; the
  // id is not in the index then.
  base::Status Add(Id id, std::span<const float> vector);

  // Add() in two parts. Stage() takes microseconds; the vector is found from then on, because searches read the codes
  // of staged vectors one after another. A vector with the code that `id` has already changes nothing. ConnectStaged()
  // links up to `budget` of them into the graph and makes room for more, on as many threads as like; false when there
  // was nothing to do. It passes `gate` for each.
  base::Status Stage(Id id, std::span<const float> vector);
  bool ConnectStaged(size_t budget, base::ForkGate* gate = nullptr);
  // Links the oldest, for a thread that must not wait: it makes no room, which takes milliseconds, and leaves a vector
  // to the threads above while one of them links an equal one. False when there was nothing that it could do.
  bool ConnectOne(base::ForkGate* gate = nullptr);
  size_t staged() const { return graph_.staged(); }

  // Takes the vector out of every later answer. Its place is used again after Repair(). False when there is no such id.
  bool Remove(Id id);
  bool Contains(Id id) const { return SlotOf(id) != kNoSlot; }

  // k hits if so many match, fewer only when stopped. For exact order ask for more and Rerank().
  HnswResult Search(const HnswQuery& query) const;

  // Takes removed vectors out of the graph, mending the links around them, and frees their places. Looks at no more
  // than `budget` nodes, and passes `gate` for a few at a time. Any thread; one at a time does something.
  RepairProgress Repair(size_t budget, base::ForkGate* gate = nullptr);
  // Measures which ef the target recall takes, when the graph has changed by half since the last time; false when there
  // was nothing to do. It costs a scan of all codes for each of a hundred vectors: about a hundredth of what building
  // the graph took. Any thread; one at a time does something. `stop` is asked now and then.
  bool Tune(const std::function<bool()>& stop);
  // What Tune() found; 0 before.
  size_t tuned_ef() const { return tuned_ef_.load(std::memory_order_relaxed); }
  // Whether ConnectStaged(), Repair() or Tune() has something to do.
  bool HasWork() const;

  // Looks at every node. `stop` is asked now and then; what it cuts short has counted a part.
  HnswHealth Health(const std::function<bool()>& stop) const;

  size_t size() const { return size_.load(std::memory_order_relaxed); }
  size_t removed() const;  // places that wait for Repair()
  GraphMemory memory() const;
  size_t memory_bytes() const { return memory().total(); }
  size_t code_bytes() const { return codec_.code_bytes(); }
  const HnswOptions& options() const { return options_; }

 private:
  class Lease;
  class Loader;
  struct Entry {
    Slot slot = kNoSlot;
    uint32_t level = 0;
  };
  enum class RepairPhase { kIdle, kWaitForWriters, kShortenRings, kMend, kWaitForReaders };

  explicit HnswIndex(const HnswOptions& options);

  Slot SlotOf(Id id) const;
  std::atomic<Slot>& SlotWord(Id id) const { return *reinterpret_cast<std::atomic<Slot>*>(slots_.At(id)); }
  size_t NextLevel();
  base::Status Encode(Id id, std::span<const float> vector, OwnCode& own);
  base::Result<Slot> Place(Id id, const std::byte* code, size_t level, bool queue);
  bool RemoveLocked(Id id);

  bool HasCode(Id id, const std::byte* code) const;
  void SaveSlot(Slot slot, bool free, std::vector<Slot>& links, base::SectionWriter& out) const;

  // Building.
  void GrowAhead(base::ForkGate* gate);
  using CodeLock = std::unique_lock<std::mutex>;
  Slot TakeQueued(CodeLock* locked);
  void ConnectPlaced(Slot slot, Walk& walk);
  void ConnectLocked(Slot slot, Walk& walk);
  // One of few; that of equal codes is the same.
  std::mutex& LockOf(const std::byte* code);
  struct Neighbours {
    std::vector<std::vector<Candidate>> by_level;  // from the lowest on
    Slot twin = kNoSlot;                           // a node with the same code
  };
  Neighbours ChooseNeighbours(Slot slot, Entry entry, Walk& walk) const;
  void Connect(Slot slot, Walk& walk);
  // The same for a node that others link to already; keeps the links it has.
  void Reconnect(Slot slot, Walk& walk);
  std::vector<Candidate> Select(std::vector<Candidate> sorted, size_t limit, size_t kept = 0) const;
  std::vector<Candidate> SelectLive(std::vector<Candidate> sorted, size_t limit) const;
  void AddLink(Slot from, Slot to, size_t level) const;
  std::vector<Candidate> MeasureFrom(Slot from, std::span<const Slot> slots) const;
  bool IsAlone(Slot slot) const;
  bool BecomeFirstEntry(Slot slot);
  void OfferEntry(Slot slot);

  // Twins: nodes with the same code, hnsw_twins.cc.
  bool AreTwins(Slot a, Slot b) const { return codec_.Same(graph_.Code(a), graph_.Code(b)); }
  Slot TakeTwins(Slot slot, std::vector<Candidate>& found) const;
  void JoinTwins(Slot slot, Slot twin) const;
  void MendTwin(Slot slot) const;
  Slot LiveTwin(Slot slot) const;
  bool ShortenRings(size_t& budget, base::ForkGate* gate);
  bool PassSealedTwins(Slot slot) const;

  // Searching.
  HnswResult SearchTarget(const CodeTarget& target, const HnswQuery& query) const;
  HnswPlan Choose(const HnswQuery& query, size_t ef, size_t matching) const;
  void ScanMatching(Walk& walk, const IdSet* filter) const;
  std::vector<Hit> TakeHits(Walk& walk, size_t k) const;

  // Tuning.
  struct Sample;
  bool WantsTuning() const;
  std::vector<Sample> TakeSample(const std::function<bool()>& stop) const;
  double RecallOf(const std::vector<Sample>& samples, size_t ef, const std::function<bool()>& stop) const;

  // Repairing.
  void MendSome(size_t& budget, base::ForkGate* gate);
  void Mend(Slot slot, Walk& walk);
  bool MostLinksLost(Slot slot) const;
  void MendLevel(Slot slot, size_t level);
  struct Neighbourhood;
  Neighbourhood Look(Slot slot, size_t level, std::span<const Slot> links) const;
  uint32_t HighestLinked(Slot slot) const;
  void ReplaceEntry();
  bool WorthARepair() const;
  bool Passed(uint64_t time) const;
  void FreeSealed(base::ForkGate* gate);

  const HnswOptions options_;
  const Codec codec_;
  HnswGraph graph_;
  Epochs epochs_;

  mutable std::mutex mu_;
  BlockStore slots_;                    // id -> slot
  std::atomic<size_t> slots_bound_{0};  // ids of `slots_`
  std::atomic<size_t> size_{0};
  std::vector<Slot> removed_ GUARDED_BY(mu_);
  std::deque<Slot> queue_ GUARDED_BY(mu_);  // staged, oldest first; also those that were removed meanwhile
  std::array<std::mutex, 256> code_mu_;     // by code, of one that is being linked; taken before mu_
  std::mutex grow_mu_;                      // one thread makes room; taken before mu_
  std::atomic<uint64_t> levels_given_{0};

  std::mutex entry_mu_;                  // of writers; readers load
  std::atomic<uint64_t> entry_word_{0};  // an Entry
  Entry LoadEntry() const;
  void StoreEntry(Entry entry);

  std::atomic<bool> tuning_{false};
  std::atomic<size_t> tuned_ef_{0};
  std::atomic<size_t> tuned_size_{0};  // how many vectors there were then

  mutable std::mutex walks_mu_;
  mutable std::vector<std::unique_ptr<Walk>> walks_ GUARDED_BY(walks_mu_);
  mutable std::vector<Walk*> idle_walks_ GUARDED_BY(walks_mu_);

  std::mutex repair_mu_;
  std::atomic<RepairPhase> phase_{RepairPhase::kIdle};  // written with repair_mu_
  std::vector<Slot> sealed_ GUARDED_BY(repair_mu_);     // removed, and to be free at the end of this repair
  IdSet sealed_set_ GUARDED_BY(repair_mu_);
  uint64_t wait_until_ GUARDED_BY(repair_mu_) = 0;
  size_t rings_at_ GUARDED_BY(repair_mu_) = 0;  // of sealed_
  size_t ring_rounds_ GUARDED_BY(repair_mu_) = 0;
  bool rings_left_ GUARDED_BY(repair_mu_) = false;  // after this round
  Slot sweep_at_ GUARDED_BY(repair_mu_) = 0;
  Slot sweep_end_ GUARDED_BY(repair_mu_) = 0;
};

// The `k` nearest of `hits` by the vectors themselves. `fetch` answers dim floats, valid until its next call, or null
// for what is gone, which is then no hit.
std::vector<Hit> Rerank(Metric metric, std::span<const float> query, std::span<const Hit> hits, size_t k,
                        const std::function<const float*(Id)>& fetch);

}  // namespace redoubt::vector
