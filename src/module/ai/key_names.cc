#include "module/ai/key_names.h"

#include <algorithm>

#include "module/host/key_slot.h"

namespace redoubt::ai {

void KeyNames::ForgetDatabase(int db) {
  std::erase_if(names_, [db](const auto& name) { return db == -1 || name.first == db; });
}

void KeyNames::SwapDatabases(int a, int b) {
  std::set<std::pair<int, std::string>> swapped;
  for (const auto& [db, key] : names_) swapped.emplace(db == a ? b : db == b ? a : db, key);
  names_.swap(swapped);
}

std::vector<std::string> KeyNames::In(int db) const {
  std::vector<std::string> keys;
  for (auto it = names_.lower_bound({db, ""}); it != names_.end() && it->first == db; ++it) keys.push_back(it->second);
  // As the server would walk a cluster's keys; no other order means anything to a user.
  std::stable_sort(keys.begin(), keys.end(),
                   [](const std::string& a, const std::string& b) { return host::KeySlot(a) < host::KeySlot(b); });
  return keys;
}

}  // namespace redoubt::ai
