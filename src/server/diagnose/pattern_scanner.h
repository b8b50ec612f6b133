#pragma once

#include <re2/filtered_re2.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/diagnose/atom_finder.h"
#include "server/diagnose/recogniser.h"

namespace redoubt::diagnose {

// Where and how often a pattern was found.
struct PatternHit {
  size_t pattern = 0;
  size_t count = 0;
  uint32_t first_line = 0, last_line = 0;  // 1-based
  std::string_view first_at, last_at;      // the lines' times; may be empty
  std::string_view quote;                  // the first line it stood on, without the log's head
  bool in_log = false;                     // found in a log rather than in a sentence
};

// Many RE2 patterns over many lines. A line is first searched for the literal parts of all patterns at once
// (Aho-Corasick), and only patterns whose parts are there are run. Immutable, safe on many threads.
class PatternScanner {
 public:
  // Patterns have to be valid RE2; they are found by their position in the list.
  explicit PatternScanner(const std::vector<std::string>& patterns);

  // Hits by pattern number. Log lines are looked at one by one, sentences by paragraph. A pattern that was found
  // kEnough times is looked for again only near the end of the text, so that a long log stays cheap and its last
  // state is still seen.
  std::vector<PatternHit> Scan(const Recognised& text) const;

  static constexpr size_t kEnough = 500;
  static constexpr size_t kTailLines = 20'000;

 private:
  struct Unit;
  void ScanUnit(const Unit& unit, bool near_end, std::vector<PatternHit>& hits) const;

  re2::FilteredRE2 filter_;
  AtomFinder atoms_;
  size_t count_ = 0;
};

}  // namespace redoubt::diagnose
