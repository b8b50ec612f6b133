#pragma once

#include "vector/hnsw_index.h"

namespace redoubt::vector {

// A walk out of the index's pool, with its ticket entered: while it lives no slot that can be reached is given to
// another vector.
class HnswIndex::Lease {
 public:
  explicit Lease(const HnswIndex& index) : index_(index), walk_(Take(index)) { index.epochs_.Enter(walk_.ticket()); }
  ~Lease() {
    Epochs::Leave(walk_.ticket());
    std::lock_guard lock(index_.walks_mu_);
    index_.idle_walks_.push_back(&walk_);
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  Walk* operator->() { return &walk_; }
  Walk& operator*() { return walk_; }

 private:
  static Walk& Take(const HnswIndex& index) {
    std::lock_guard lock(index.walks_mu_);
    if (index.idle_walks_.empty()) {
      index.walks_.push_back(std::make_unique<Walk>(index.graph_, index.codec_));
      index.idle_walks_.reserve(index.walks_.size());
      return *index.walks_.back();
    }
    Walk* walk = index.idle_walks_.back();
    index.idle_walks_.pop_back();
    return *walk;
  }

  const HnswIndex& index_;
  Walk& walk_;
};

}  // namespace redoubt::vector
