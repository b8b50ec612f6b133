#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "module/ft/search_job.h"
#include "search/document_filter.h"
#include "search/live_index.h"

namespace redoubt::ft {

// One index of the server.
struct IndexEntry {
  std::shared_ptr<search::LiveIndex> live;
  std::shared_ptr<SearchQueue> queue;
  bool scanning = false;    // a background scan has not seen all keys yet
  double scanned_part = 1;  // 0..1
  uint64_t searches = 0;
  std::optional<search::DocumentFilter> filter;  // FILTER
  int64_t used_at_us = 0;                        // when TEMPORARY began to count, of the steady clock

  void Use() { used_at_us = base::SystemClock().SteadyMicros(); }

  const search::IndexDefinition& definition() const { return live->definition(); }
};

// The indexes by name. Main thread only; a forked child may read it.
class IndexRegistry {
 public:
  using Map = std::map<std::string, std::shared_ptr<IndexEntry>, std::less<>>;

  // By its name or an alias; a name goes before an alias. Null when there is none.
  std::shared_ptr<IndexEntry> Find(std::string_view name) const;
  // By its own name only.
  std::shared_ptr<IndexEntry> FindByName(std::string_view name) const;
  bool Add(std::shared_ptr<IndexEntry> entry);  // false: the name is taken
  std::shared_ptr<IndexEntry> Take(std::string_view name);
  std::vector<std::shared_ptr<IndexEntry>> TakeAll();

  bool HasAlias(std::string_view alias) const { return aliases_.find(alias) != aliases_.end(); }
  // Takes the alias from whatever index has it.
  void SetAlias(std::string_view alias, const std::shared_ptr<IndexEntry>& entry);
  bool RemoveAlias(std::string_view alias);  // false: there is none
  std::vector<std::string> AliasesOf(const IndexEntry& entry) const;

  bool Covers(std::string_view key) const;
  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  Map::const_iterator begin() const { return entries_.begin(); }
  Map::const_iterator end() const { return entries_.end(); }

 private:
  Map entries_;
  Map aliases_;
};

}  // namespace redoubt::ft
