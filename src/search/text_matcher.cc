#include "search/text_matcher.h"

#include <algorithm>
#include <span>

#include "search/text_index.h"

namespace redoubt::search {
namespace {

using Positions = std::vector<uint32_t>;

// The documents of several lists as if they were one word's.
class MergedCursor {
 public:
  explicit MergedCursor(const std::vector<const PostingList*>& lists) {
    for (const PostingList* list : lists) cursors_.emplace_back(*list);
    FindFirst();
  }
  bool done() const { return done_; }
  Id id() const { return id_; }

  void SeekTo(Id id) {
    for (PostingList::Cursor& cursor : cursors_) cursor.SeekTo(id);
    FindFirst();
  }
  void ReadPositions(Positions& into) const {
    into.clear();
    for (const PostingList::Cursor& cursor : cursors_) {
      if (!cursor.done() && cursor.id() == id_) cursor.ReadPositions(into);
    }
    if (cursors_.size() > 1) std::sort(into.begin(), into.end());
  }

 private:
  void FindFirst() {
    done_ = true;
    for (const PostingList::Cursor& cursor : cursors_) {
      if (cursor.done() || (!done_ && cursor.id() >= id_)) continue;
      done_ = false;
      id_ = cursor.id();
    }
  }

  std::vector<PostingList::Cursor> cursors_;
  bool done_ = true;
  Id id_ = 0;
};

// Whether words at first .. last have no more than `slop` others between them.
bool CloseEnough(uint32_t first, uint32_t last, size_t words, uint32_t slop) {
  return slop == kAnySlop || uint64_t{last} - first < words + slop;
}

// From each place of the first word, the nearest next one of each that follows: no other choice ends earlier.
bool MatchesInOrder(std::span<const Positions> words, uint32_t slop) {
  std::vector<size_t> at(words.size(), 0);
  for (uint32_t first : words[0]) {
    uint32_t last = first;
    for (size_t i = 1; i < words.size(); ++i) {
      while (at[i] < words[i].size() && words[i][at[i]] <= last) ++at[i];
      if (at[i] == words[i].size()) return false;
      last = words[i][at[i]];
    }
    if (CloseEnough(first, last, words.size(), slop)) return true;
  }
  return false;
}

// The narrowest window with a place of each word: the word that stands first moves on until one is used up.
bool MatchesInAnyOrder(std::span<const Positions> words, uint32_t slop) {
  std::vector<size_t> at(words.size(), 0);
  while (true) {
    size_t first = 0;
    uint32_t last = 0;
    for (size_t i = 0; i < words.size(); ++i) {
      last = std::max(last, words[i][at[i]]);
      if (words[i][at[i]] < words[first][at[first]]) first = i;
    }
    if (CloseEnough(words[first][at[first]], last, words.size(), slop)) return true;
    if (++at[first] == words[first].size()) return false;
  }
}

// Whether to stop, asked of `stop` every few thousand documents.
class Pause {
 public:
  explicit Pause(const std::function<bool()>& stop) : stop_(stop) {}
  bool Over() { return ++seen_ % kBetween == 0 && stop_ && stop_(); }

 private:
  static constexpr size_t kBetween = 4096;
  const std::function<bool()>& stop_;
  size_t seen_ = 0;
};

void CollectPhrase(const TextClause& clause, const TextIndex& index, const std::function<bool()>& stop, IdSet& into) {
  std::vector<MergedCursor> cursors;
  for (const TextPattern& pattern : clause.patterns) cursors.emplace_back(index.Find(pattern, stop));
  std::vector<Positions> positions(cursors.size());
  Pause pause(stop);
  for (Id id = 0; !pause.Over();) {
    bool together = true;
    for (MergedCursor& cursor : cursors) {
      cursor.SeekTo(id);
      if (cursor.done()) return;
      together = together && cursor.id() == id;
      id = cursor.id();
    }
    if (!together) continue;
    for (size_t i = 0; i < cursors.size(); ++i) cursors[i].ReadPositions(positions[i]);
    const bool matches =
        clause.in_order ? MatchesInOrder(positions, clause.slop) : MatchesInAnyOrder(positions, clause.slop);
    if (matches) into.Insert(id);
    ++id;
  }
}

}  // namespace

void CollectText(const TextClause& clause, const FieldIndexes& fields, const std::function<bool()>& stop, IdSet& into) {
  Pause pause(stop);
  for (size_t field : clause.fields) {
    const TextIndex& index = *fields[field]->text();
    if (clause.patterns.size() > 1) {
      CollectPhrase(clause, index, stop, into);
      continue;
    }
    for (const PostingList* list : index.Find(clause.patterns[0], stop)) {
      for (PostingList::Cursor cursor(*list); !cursor.done(); cursor.Next()) {
        into.Insert(cursor.id());
        if (pause.Over()) return;
      }
    }
  }
}

}  // namespace redoubt::search
