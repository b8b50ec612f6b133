#include "server/diagnose/pattern_scanner.h"

#include <algorithm>

namespace redoubt::diagnose {
namespace {

constexpr size_t kParagraphBytes = 1500;
constexpr int kMinAtom = 3;

using Piece = re2::StringPiece;

re2::FilteredRE2 Compile(const std::vector<std::string>& patterns, std::vector<std::string>& atoms) {
  re2::FilteredRE2 filter(kMinAtom);
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(2 << 20);
  for (const std::string& pattern : patterns) {
    int id = 0;
    // A pattern that does not compile was refused when its entry was read; an impossible one keeps the numbers.
    if (filter.Add(pattern, options, &id) != RE2::NoError) filter.Add("a^", options, &id);
  }
  filter.Compile(&atoms);
  return filter;
}

}  // namespace

// What a pattern is matched against: one log line, or a paragraph of several lines.
struct PatternScanner::Unit {
  std::string_view text;
  const Line* first = nullptr;
  std::vector<std::pair<size_t, const Line*>> starts;  // of a paragraph: offset in text -> line

  const Line& LineAt(size_t offset) const {
    const Line* line = first;
    for (const auto& [start, candidate] : starts) {
      if (start > offset) break;
      line = candidate;
    }
    return *line;
  }
};

PatternScanner::PatternScanner(const std::vector<std::string>& patterns) : atoms_({}), count_(patterns.size()) {
  std::vector<std::string> atoms;
  filter_ = Compile(patterns, atoms);
  atoms_ = AtomFinder(atoms);
}

std::vector<PatternHit> PatternScanner::Scan(const Recognised& text) const {
  std::vector<PatternHit> hits(count_);
  std::string paragraph;
  Unit unit;
  size_t lines = text.lines.size();
  auto flush = [&](size_t index) {
    if (paragraph.empty()) return;
    unit.text = paragraph;
    ScanUnit(unit, index + kTailLines >= lines, hits);
    paragraph.clear();
    unit = {};
  };
  for (size_t i = 0; i < lines; ++i) {
    const Line& line = text.lines[i];
    if (line.kind == LineKind::kProse) {
      if (paragraph.size() + line.body.size() > kParagraphBytes) flush(i);
      if (paragraph.empty()) unit.first = &line;
      unit.starts.emplace_back(paragraph.size(), &line);
      paragraph += line.body;
      paragraph += ' ';
      continue;
    }
    flush(i);
    if (line.kind == LineKind::kServerLog || line.kind == LineKind::kOtherLog) {
      ScanUnit({line.body, &line, {}}, i + kTailLines >= lines, hits);
    }
  }
  flush(lines);
  std::vector<PatternHit> found;
  for (size_t i = 0; i < hits.size(); ++i) {
    if (hits[i].count == 0) continue;
    hits[i].pattern = i;
    found.push_back(hits[i]);
  }
  return found;
}

void PatternScanner::ScanUnit(const Unit& unit, bool near_end, std::vector<PatternHit>& hits) const {
  static thread_local std::vector<int> atoms, candidates;
  atoms_.Find(unit.text, atoms);
  filter_.AllPotentials(atoms, &candidates);
  Piece text(unit.text.data(), unit.text.size());
  for (int id : candidates) {
    PatternHit& hit = hits[static_cast<size_t>(id)];
    if (hit.count >= kEnough && !near_end) continue;
    Piece where;
    if (!filter_.GetRE2(id).Match(text, 0, text.size(), RE2::UNANCHORED, &where, 1)) continue;
    const Line& line = unit.LineAt(static_cast<size_t>(where.data() - unit.text.data()));
    if (hit.count++ == 0) {
      hit.first_line = line.number;
      hit.first_at = line.at;
      hit.quote = line.body;
    }
    hit.in_log |= line.kind != LineKind::kProse;
    hit.last_line = line.number;
    hit.last_at = line.at;
  }
}

}  // namespace redoubt::diagnose
