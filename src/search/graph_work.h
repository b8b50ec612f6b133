#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/fork_gate.h"
#include "base/thread_annotations.h"
#include "vector/hnsw_index.h"

namespace redoubt::search {

// What worker threads do for the graphs of one index: they link staged vectors and mend after removals. Safe on many
// threads; none of it waits for a search or a write. A graph that the index has dropped is kept alive by the worker
// that is in it and no longer.
class GraphWork {
 public:
  // `gate`, if there is one, outlives this; the work passes it.
  explicit GraphWork(base::ForkGate* gate = nullptr) : gate_(gate) {}

  // From now on these, without the earlier ones. None: there is no more work.
  void Serve(std::vector<std::shared_ptr<vector::HnswIndex>> graphs);

  size_t staged() const;
  // What waits has outgrown what a search should read one by one: 32 MiB of codes.
  bool overfull() const;
  // Links as many as one vector per graph on the thread of the writer, who makes more of them than workers can link. It
  // makes no room for more, which is for the workers.
  void LinkOne();
  bool pending() const;

  enum class Turn {
    kNone,     // nothing to do
    kSome,     // a few milliseconds of work are done
    kWaiting,  // for searches under way to end: come back in a millisecond
  };
  // `stop` is asked during what takes longer.
  Turn Run(const std::function<bool()>& stop = [] { return false; });

 private:
  using Graphs = std::vector<std::shared_ptr<vector::HnswIndex>>;
  Graphs graphs() const;

  base::ForkGate* const gate_;
  mutable std::mutex mu_;
  Graphs graphs_ GUARDED_BY(mu_);
};

}  // namespace redoubt::search
