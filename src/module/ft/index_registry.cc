#include "module/ft/index_registry.h"

#include <algorithm>
#include <utility>

namespace redoubt::ft {

std::shared_ptr<IndexEntry> IndexRegistry::Find(std::string_view name) const {
  auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second;
}

bool IndexRegistry::Add(std::shared_ptr<IndexEntry> entry) {
  std::string name = entry->definition().name;
  return entries_.emplace(std::move(name), std::move(entry)).second;
}

std::shared_ptr<IndexEntry> IndexRegistry::Take(std::string_view name) {
  auto found = entries_.find(name);
  if (found == entries_.end()) return nullptr;
  std::shared_ptr<IndexEntry> entry = std::move(found->second);
  entries_.erase(found);
  return entry;
}

std::vector<std::shared_ptr<IndexEntry>> IndexRegistry::TakeAll() {
  std::vector<std::shared_ptr<IndexEntry>> all;
  for (auto& [name, entry] : std::exchange(entries_, {})) all.push_back(std::move(entry));
  return all;
}

bool IndexRegistry::Covers(std::string_view key) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const auto& entry) { return entry.second->definition().Covers(key); });
}

}  // namespace redoubt::ft
