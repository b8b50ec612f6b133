#include "server/kb/retrieval.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "embed/embedder.h"

namespace redoubt::kb {
namespace {

constexpr double kWordShare = 0.8;
constexpr double kBestScore = 1.4;
// The fixed entries are the common failures: they come first where likeness does not decide. Short entries would win
// otherwise, since every line of theirs is about one thing.
constexpr double kCommonFailure = 0.06;

double PriorOf(const Entry& entry) { return entry.file.starts_with("troubleshooting/") ? kCommonFailure : 0; }

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

void AddTexts(text::Bm25Index& index, uint32_t doc, const std::vector<LocalText>& texts, float weight) {
  for (const LocalText& text : texts) {
    index.Add(doc, text.ko, weight);
    if (text.en != text.ko) index.Add(doc, text.en, weight);
  }
}

void AddWords(text::Bm25Index& index, uint32_t doc, const std::vector<std::string>& words) {
  for (const std::string& word : words) index.Add(doc, word, 1.0f);
}

std::string AllText(const Entry& entry) {
  std::string all = entry.title.ko + "\n" + entry.title.en;
  for (const auto* list : {&entry.symptoms, &entry.root_causes, &entry.diagnosis_steps, &entry.solutions}) {
    for (const LocalText& text : *list) all += "\n" + text.ko + "\n" + text.en;
  }
  for (const auto* list : {&entry.related_metrics, &entry.tags}) {
    for (const std::string& word : *list) all += "\n" + word;
  }
  return Lower(all);
}

// The query's own words that stand in the entry, at most four, longest first.
std::vector<std::string> SharedWords(std::string_view query, const std::string& folded) {
  static const std::set<std::string> kStop = {"the",   "and",  "for",  "with", "not",  "are", "was",
                                              "redis", "this", "that", "from", "when", "our", "has",
                                              "have",  "is",   "to",   "in",   "of",   "it"};
  std::set<std::string> words;
  std::string word;
  auto flush = [&] {
    if (word.size() >= 2 && !kStop.contains(word) && folded.find(word) != std::string::npos) words.insert(word);
    word.clear();
  };
  for (char c : Lower(query)) {
    auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '_' || byte >= 0x80) {
      word += c;
    } else {
      flush();
    }
  }
  flush();
  std::vector<std::string> out(words.begin(), words.end());
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  if (out.size() > 4) out.resize(4);
  return out;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

Retrieval::Retrieval(std::vector<EntryPtr> entries) : entries_(std::move(entries)), vectors_(entries_.size()) {
  for (uint32_t doc = 0; doc < entries_.size(); ++doc) {
    const Entry& entry = *entries_[doc];
    AddTexts(words_, doc, {entry.title}, 2.0f);
    AddTexts(words_, doc, entry.symptoms, 2.0f);
    AddTexts(words_, doc, entry.root_causes, 1.0f);
    AddTexts(words_, doc, entry.solutions, 0.5f);
    AddTexts(words_, doc, entry.diagnosis_steps, 0.5f);
    AddTexts(words_, doc, entry.prevention, 0.5f);
    AddWords(words_, doc, entry.related_metrics);
    AddWords(words_, doc, entry.tags);
    folded_.push_back(AllText(entry));
  }
}

std::vector<std::string> Retrieval::LinesOf(const Entry& entry) {
  std::vector<std::string> lines = {entry.title.ko, entry.title.en};
  for (const auto* list : {&entry.symptoms, &entry.root_causes}) {
    for (const LocalText& text : *list) {
      lines.push_back(text.ko);
      lines.push_back(text.en);
    }
  }
  return lines;
}

Retrieval::Likeness Retrieval::LikenessOf(size_t index, const Vector& query) const {
  std::array<double, 3> best = {0, 0, 0};
  Likeness out;
  const std::vector<Vector>& lines = vectors_[index];
  for (size_t i = 0; i < lines.size(); ++i) {
    double cosine = embed::Cosine(query, lines[i]);
    if (cosine > out.best) {
      out.best = cosine;
      out.best_line = i;
    }
    auto lowest = std::min_element(best.begin(), best.end());
    if (cosine > *lowest) *lowest = cosine;
  }
  size_t count = std::min<size_t>(3, lines.size());
  if (count > 0) out.score = (best[0] + best[1] + best[2]) / static_cast<double>(count);
  return out;
}

std::vector<SearchHit> Retrieval::Search(std::string_view query, const Vector* query_vector, size_t k) const {
  std::vector<double> words(entries_.size(), 0.0);
  double best_possible = words_.MaxScore(query);
  if (best_possible > 0) {
    for (const text::Scored& scored : words_.Search(query, entries_.size())) {
      words[scored.doc] = scored.score / best_possible;
    }
  }
  struct Ranked {
    size_t index;
    double score;
    Likeness likeness;
  };
  std::vector<Ranked> ranked;
  for (size_t i = 0; i < entries_.size(); ++i) {
    Ranked item{i, words[i], {}};
    if (query_vector != nullptr) {
      item.likeness = LikenessOf(i, *query_vector);
      item.score = (item.likeness.score + kWordShare * words[i]) / kBestScore;
    }
    if (item.score > 0) {
      item.score += PriorOf(*entries_[i]);
      ranked.push_back(item);
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  if (ranked.size() > k) ranked.resize(k);
  std::vector<SearchHit> hits;
  for (const Ranked& item : ranked) {
    hits.push_back(Describe(item.index, query, std::min(1.0, item.score), words[item.index],
                            query_vector != nullptr ? &item.likeness : nullptr));
  }
  return hits;
}

SearchHit Retrieval::Describe(size_t index, std::string_view query, double score, double words,
                              const Likeness* likeness) const {
  const Entry& entry = *entries_[index];
  SearchHit hit{entry.id, entry.title, entry.category, entry.severity, score, {}, {}};
  std::vector<std::string> shared = SharedWords(query, folded_[index]);
  if (!shared.empty()) {
    hit.why.ko = fmt::format("일치한 단어: {}", Joined(shared));
    hit.why.en = fmt::format("words in common: {}", Joined(shared));
  } else if (words > 0) {
    hit.why = {"단어의 일부가 일치합니다", "parts of words in common"};
  }
  size_t symptom = 0;
  if (likeness != nullptr && likeness->best > 0.3) {
    std::string separator = hit.why.ko.empty() ? "" : " · ";
    hit.why.ko += fmt::format("{}뜻이 가까움(유사도 {:.2f})", separator, likeness->best);
    hit.why.en += fmt::format("{}close in meaning (cosine {:.2f})", separator, likeness->best);
    if (likeness->best_line >= 2) symptom = (likeness->best_line - 2) / 2;
  }
  std::vector<LocalText> lines = entry.symptoms;
  lines.insert(lines.end(), entry.root_causes.begin(), entry.root_causes.end());
  if (symptom < lines.size()) hit.snippet = lines[symptom];
  return hit;
}

}  // namespace redoubt::kb
