#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace redoubt::vector {

using Id = uint32_t;

struct Hit {
  Id id = 0;
  double distance = 0;  // a FLOAT64 index computes in double, integers are exact

  friend bool operator==(const Hit&, const Hit&) = default;
  // Nearer first; equal distances by id, so that the same question has one answer.
  friend bool operator<(const Hit& a, const Hit& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
  }
};

// The k nearest of the hits it is offered, in a heap with the farthest on top.
class TopK {
 public:
  // Hits beyond `limit` are not taken.
  explicit TopK(size_t k, double limit = std::numeric_limits<double>::infinity()) : k_(k), limit_(limit) {}

  size_t k() const { return k_; }

  // Whether a hit at `distance` could still get in. False for NaN.
  bool Wants(double distance) const { return distance <= limit_; }

  void Offer(Hit hit) {
    if (heap_.size() < k_) {
      heap_.push_back(hit);
      std::push_heap(heap_.begin(), heap_.end());
    } else if (k_ > 0 && hit < heap_.front()) {
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.back() = hit;
      std::push_heap(heap_.begin(), heap_.end());
    }
    if (heap_.size() == k_ && k_ > 0) limit_ = heap_.front().distance;
  }

  // Nearest first; leaves this empty.
  std::vector<Hit> Take() {
    std::sort_heap(heap_.begin(), heap_.end());
    return std::exchange(heap_, {});
  }
  std::vector<Hit> TakeUnsorted() { return std::exchange(heap_, {}); }

 private:
  size_t k_;
  double limit_;
  std::vector<Hit> heap_;
};

}  // namespace redoubt::vector
