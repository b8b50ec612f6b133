#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"

namespace redoubt::alert {

// Keeps matching alerts quiet until `until_ms`: they are judged, stored and listed as ever, but nobody is paged.
struct Silence {
  std::string id;        // "si_" + hex
  std::string instance;  // empty: every instance
  std::string rule;      // a rule or a group; empty: every rule
  int64_t created_at_ms = 0;
  int64_t until_ms = 0;
  std::string comment;
};

base::Json ToRecord(const Silence& silence);  // the stored form
base::Result<Silence> FromSilenceRecord(const base::Json& record);

// The silences there are. One thread at a time.
class SilenceList {
 public:
  void Add(Silence silence) { silences_.push_back(std::move(silence)); }
  bool Has(const std::string& id) const;
  void Remove(const std::string& id);
  // Takes out what ended by `now_ms`, or what is for this instance alone, and gives the ids.
  std::vector<std::string> TakeExpired(int64_t now_ms);
  std::vector<std::string> TakeOf(const std::string& instance);

  // Until when this rule is quiet at this instance; nothing when it is not.
  std::optional<int64_t> Until(const std::string& instance, const std::string& rule, const std::string& group,
                               int64_t now_ms) const;
  // Those that last beyond `now_ms`; the one that ends first comes first.
  std::vector<Silence> Active(int64_t now_ms) const;
  size_t size() const { return silences_.size(); }

 private:
  template <typename Condition>
  std::vector<std::string> Take(Condition condition);

  std::vector<Silence> silences_;
};

}  // namespace redoubt::alert
