#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "vector/top_k.h"

namespace redoubt::search {

// The distances that named VECTOR_RANGE leaves of one query found, by the position of the name.
class RangeDistances {
 public:
  void Note(size_t name, std::vector<vector::Hit> hits) {
    auto by_id = [](const vector::Hit& a, const vector::Hit& b) { return a.id < b.id; };
    std::sort(hits.begin(), hits.end(), by_id);
    if (found_.size() <= name) found_.resize(name + 1);
    found_[name] = std::move(hits);
  }

  // One for each of `names` names; NaN where the document is not within that range.
  std::vector<double> Of(vector::Id id, size_t names) const {
    std::vector<double> distances(names, std::numeric_limits<double>::quiet_NaN());
    for (size_t name = 0; name < std::min(names, found_.size()); ++name) {
      auto at = std::lower_bound(found_[name].begin(), found_[name].end(), id,
                                 [](const vector::Hit& hit, vector::Id wanted) { return hit.id < wanted; });
      if (at != found_[name].end() && at->id == id) distances[name] = at->distance;
    }
    return distances;
  }

 private:
  std::vector<std::vector<vector::Hit>> found_;  // by id each
};

}  // namespace redoubt::search
