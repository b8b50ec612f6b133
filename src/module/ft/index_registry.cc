#include "module/ft/index_registry.h"

#include <algorithm>
#include <utility>

namespace redoubt::ft {

std::shared_ptr<IndexEntry> IndexRegistry::Find(std::string_view name) const {
  if (std::shared_ptr<IndexEntry> entry = FindByName(name)) return entry;
  auto found = aliases_.find(name);
  return found == aliases_.end() ? nullptr : found->second;
}

void IndexRegistry::SetAlias(std::string_view alias, const std::shared_ptr<IndexEntry>& entry) {
  aliases_.insert_or_assign(std::string(alias), entry);
}

bool IndexRegistry::RemoveAlias(std::string_view alias) {
  auto found = aliases_.find(alias);
  if (found == aliases_.end()) return false;
  aliases_.erase(found);
  return true;
}

std::vector<std::string> IndexRegistry::AliasesOf(const IndexEntry& entry) const {
  std::vector<std::string> aliases;
  for (const auto& [alias, index] : aliases_) {
    if (index.get() == &entry) aliases.push_back(alias);
  }
  return aliases;
}

std::shared_ptr<IndexEntry> IndexRegistry::FindByName(std::string_view name) const {
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
  std::erase_if(aliases_, [&](const auto& alias) { return alias.second == entry; });
  return entry;
}

std::vector<std::shared_ptr<IndexEntry>> IndexRegistry::TakeAll() {
  aliases_.clear();
  std::vector<std::shared_ptr<IndexEntry>> all;
  for (auto& [name, entry] : std::exchange(entries_, {})) all.push_back(std::move(entry));
  return all;
}

bool IndexRegistry::Covers(std::string_view key) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const auto& entry) { return entry.second->definition().Covers(key); });
}

}  // namespace redoubt::ft
