#include "search/centre_sample.h"

#include <algorithm>
#include <cmath>

namespace redoubt::search {
namespace {

// Of the mean square of the vectors. Below, a centre would gain too little precision to be worth the change.
constexpr double kWorthwhile = 0.2;

double Squares(std::span<const float> vector) {
  double squares = 0;
  for (float x : vector) squares += double{x} * x;
  return squares;
}

}  // namespace

CentreSample::CentreSample(size_t dim, bool unit, base::MemoryResource& memory)
    : dim_(dim), unit_(unit), memory_(memory), ids_(&memory_), floats_(&memory_) {}

void CentreSample::Add(vector::Id id, std::span<const float> vector) {
  Remove(id);
  floats_.insert(floats_.end(), vector.begin(), vector.end());
  ids_.push_back(id);
}

void CentreSample::Remove(vector::Id id) {
  const auto at = std::find(ids_.begin(), ids_.end(), id);
  if (at == ids_.end()) return;
  const auto row = floats_.begin() + (at - ids_.begin()) * static_cast<ptrdiff_t>(dim_);
  std::copy(floats_.end() - static_cast<ptrdiff_t>(dim_), floats_.end(), row);
  floats_.resize(floats_.size() - dim_);
  *at = ids_.back();
  ids_.pop_back();
}

std::vector<float> CentreSample::Centre() const {
  std::vector<double> sums(dim_);
  double squares = 0;
  for (size_t i = 0; i < ids_.size(); ++i) {
    const double length = std::sqrt(Squares(vector(i)));
    const double scale = unit_ && length > 0 ? 1 / length : 1;
    for (size_t e = 0; e < dim_; ++e) sums[e] += scale * vector(i)[e];
    squares += scale * scale * length * length;
  }
  const auto count = static_cast<double>(ids_.size());
  std::vector<float> mean(dim_);
  for (size_t e = 0; e < dim_; ++e) mean[e] = static_cast<float>(sums[e] / count);
  const bool worthwhile = Squares(mean) > kWorthwhile * squares / count;
  return worthwhile ? mean : std::vector<float>();
}

}  // namespace redoubt::search
