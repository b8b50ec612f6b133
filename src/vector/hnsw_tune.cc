// How HnswIndex finds the ef that a recall takes.
#include <algorithm>
#include <random>

#include "vector/hnsw_index.h"
#include "vector/hnsw_lease.h"

namespace redoubt::vector {
namespace {

constexpr size_t kSamples = 100;
constexpr size_t kNearest = 10;
// Each about two fifths more than the one before. A graph that needs more was made with too few links.
constexpr size_t kLadder[] = {10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 900, 1280};

}  // namespace

// A vector of the graph, copied, and its nearest by the distance of codes.
struct HnswIndex::Sample {
  Sample(Id id, const Codec& codec) : id(id), code(codec) {}
  Id id;
  OwnCode code;
  std::vector<Id> nearest;
};

bool HnswIndex::WantsTuning() const {
  if (options_.target_recall <= 0) return false;
  const size_t now = size();
  const size_t then = tuned_size_.load(std::memory_order_relaxed);
  return staged() <= now / 10 && (now > then + then / 2 || now < then - then / 2);
}

std::vector<HnswIndex::Sample> HnswIndex::TakeSample(const std::function<bool()>& stop) const {
  std::vector<Sample> samples;
  std::mt19937 random(static_cast<std::mt19937::result_type>(size()));
  const auto bound = static_cast<uint32_t>(graph_.bound());
  for (size_t tries = 0; bound > 0 && tries < 20 * kSamples && samples.size() < kSamples && !stop(); ++tries) {
    const auto slot = static_cast<Slot>(random() % bound);
    {
      Lease walk(*this);  // the code is not another vector's while it is copied
      const Id id = graph_.IdOf(slot);
      if (id == kNoId || graph_.IsStaged(slot)) continue;
      Sample& sample = samples.emplace_back(id, codec_);
      const std::byte* code = graph_.Code(slot);
      std::copy_n(code - Codec::kHeadBytes, sizeof(CodeHead), sample.code.code() - Codec::kHeadBytes);
      std::copy_n(code, codec_.code_bytes(), sample.code.code());
    }
    Sample& sample = samples.back();
    CodeTarget target;
    codec_.SetTarget(sample.code.code(), target);
    // Itself is among them.
    const HnswResult exact = SearchTarget(target, {{}, kNearest + 1, 0, nullptr, stop, HnswPlan::kScan, kNoId});
    for (const Hit& hit : exact.hits) {
      if (hit.id != sample.id && sample.nearest.size() < kNearest) sample.nearest.push_back(hit.id);
    }
  }
  return samples;
}

double HnswIndex::RecallOf(const std::vector<Sample>& samples, size_t ef, const std::function<bool()>& stop) const {
  size_t wanted = 0;
  size_t found = 0;
  for (const Sample& sample : samples) {
    CodeTarget target;
    codec_.SetTarget(sample.code.code(), target);
    const HnswResult walked = SearchTarget(target, {{}, kNearest, ef, nullptr, stop, HnswPlan::kWalk, sample.id});
    for (const Id id : sample.nearest) {
      found += static_cast<size_t>(
          std::any_of(walked.hits.begin(), walked.hits.end(), [&](const Hit& hit) { return hit.id == id; }));
    }
    wanted += sample.nearest.size();
  }
  return wanted == 0 ? 1 : static_cast<double>(found) / static_cast<double>(wanted);
}

bool HnswIndex::Tune(const std::function<bool()>& stop) {
  if (!WantsTuning() || tuning_.exchange(true)) return false;
  const size_t now = size();
  const std::vector<Sample> samples = TakeSample(stop);
  const size_t* ef = std::begin(kLadder);
  while (ef + 1 != std::end(kLadder) && RecallOf(samples, *ef, stop) < options_.target_recall && !stop()) ++ef;
  if (!stop()) {
    tuned_ef_.store(*ef);
    tuned_size_.store(now);
  }
  tuning_.store(false);
  return true;
}

}  // namespace redoubt::vector
