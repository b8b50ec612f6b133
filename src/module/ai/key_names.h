#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::ai {

// Where models, or scripts, may lie in the keyspace, for AI._MODELSCAN and AI._SCRIPTSCAN: a key is noted whenever one
// can have come to it and is checked when it is listed, so a stale name costs nothing but its bytes. Main thread only.
class KeyNames {
 public:
  void Note(int db, std::string_view key) { names_.emplace(db, key); }
  void Forget(int db, std::string_view key) { names_.erase({db, std::string(key)}); }
  // FLUSHDB; -1: FLUSHALL.
  void ForgetDatabase(int db);
  void SwapDatabases(int a, int b);
  // By key slot, then by name.
  std::vector<std::string> In(int db) const;
  // (database, key) of all.
  const std::set<std::pair<int, std::string>>& all() const { return names_; }

 private:
  std::set<std::pair<int, std::string>> names_;
};

}  // namespace redoubt::ai
