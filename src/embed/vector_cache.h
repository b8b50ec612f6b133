#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/thread_annotations.h"

namespace redoubt::embed {

// What the cache needs from others. `embed` is asked for texts never seen; `load` and `save` reach a store that
// outlives the process and may be left empty. All are called without a lock held, on the thread that asked.
struct VectorSource {
  std::string model_id;
  std::function<base::Result<std::vector<float>>(std::string_view text)> embed;
  std::function<std::optional<std::vector<float>>(const std::string& key)> load;
  std::function<void(const std::string& key, std::span<const float> vector)> save;
};

// Vectors by the content of their text: nothing is computed twice, in this process or a later one. Keeps the
// `max_entries` used last in memory. Safe on many threads; two that miss the same text at once may both compute it.
class VectorCache {
 public:
  VectorCache(VectorSource source, size_t max_entries);

  // From memory, else the store, else computed and stored.
  base::Result<std::vector<float>> Get(std::string_view text);

  // "<model id>:<SHA-256 of the text in hex>"
  std::string KeyOf(std::string_view text) const;

  struct Counts {
    uint64_t memory_hits = 0, store_hits = 0, computed = 0;
  };
  Counts counts() const;
  size_t size() const;

 private:
  using Entry = std::pair<std::string, std::vector<float>>;

  std::optional<std::vector<float>> FindInMemory(const std::string& key);
  void Keep(const std::string& key, const std::vector<float>& vector, uint64_t Counts::*origin);

  const VectorSource source_;
  const size_t max_entries_;
  mutable std::mutex mu_;
  std::list<Entry> entries_ GUARDED_BY(mu_);  // used last first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_ GUARDED_BY(mu_);
  Counts counts_ GUARDED_BY(mu_);
};

}  // namespace redoubt::embed
