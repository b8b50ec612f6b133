// Random documents, changes and queries against a model that reads every document word by word.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "search/create_parser.h"
#include "search/index.h"

namespace redoubt::search {
namespace {

using Words = std::vector<std::string>;
using Document = std::array<Words, 2>;

const std::vector<std::string> kVocabulary = {"apple", "pear", "plum", "apples", "run", "running", "runs", "red",
                                              "rapid", "rare", "자바", "메모",   "물",  "zoo",     "zebra"};
// Words of one stem, as Snowball's English rules have it.
const std::map<std::string, std::string> kStems = {
    {"apples", "apple"}, {"appl", "apple"}, {"running", "run"}, {"runs", "run"}};

std::string StemOf(const std::string& word) {
  const auto found = kStems.find(word);
  return found == kStems.end() ? word : found->second;
}

// A query as a tree: its text, whether a document matches, and what it counts there.
struct Node {
  enum class Kind { kWord, kPrefix, kPhrase, kNear, kAnd, kOr, kNot, kOptional } kind;
  Words words;
  int field = 2;  // 2: both
  uint32_t slop = 0;
  bool in_order = true;
  std::vector<Node> children;
};

class Model {
 public:
  std::map<std::string, Document> documents;

  static bool Is(const Node& node, size_t i, const std::string& word) {
    if (node.kind == Node::Kind::kPrefix) return word.starts_with(node.words[i]);
    if (node.kind == Node::Kind::kPhrase) return word == node.words[i];
    return StemOf(word) == StemOf(node.words[i]);
  }

  static bool Near(const Node& node, const Words& text) {
    std::vector<size_t> places;
    return Choose(node, text, places);
  }

  static bool Matches(const Node& node, const Document& document) {
    switch (node.kind) {
      case Node::Kind::kAnd:
        return std::all_of(node.children.begin(), node.children.end(), [&](auto& c) { return Matches(c, document); });
      case Node::Kind::kOr:
        return std::any_of(node.children.begin(), node.children.end(), [&](auto& c) { return Matches(c, document); });
      case Node::Kind::kNot:
        return !Matches(node.children[0], document);
      case Node::Kind::kOptional:
        return true;
      default:
        return (node.field != 1 && Near(node, document[0])) || (node.field != 0 && Near(node, document[1]));
    }
  }

  double Score(const Node& node, const Document& document) const {
    double score = 0;
    switch (node.kind) {
      case Node::Kind::kNot:
        return 0;
      case Node::Kind::kAnd:
        for (const Node& child : node.children) score += Score(child, document);
        return score;
      case Node::Kind::kOr:
      case Node::Kind::kOptional:
        for (const Node& child : node.children) score += Matches(child, document) ? Score(child, document) : 0;
        return score;
      default:
        for (size_t i = 0; i < node.words.size(); ++i) score += WordScore(node, i, document);
        return score;
    }
  }

 private:
  // Any choice of a place for each word: exhaustive, texts are short.
  static bool Choose(const Node& node, const Words& text, std::vector<size_t>& places) {
    if (places.size() == node.words.size()) {
      const auto [low, high] = std::minmax_element(places.begin(), places.end());
      return *high - *low < places.size() + node.slop;
    }
    for (size_t at = 0; at < text.size(); ++at) {
      if (node.in_order && !places.empty() && at <= places.back()) continue;
      if (!Is(node, places.size(), text[at])) continue;
      places.push_back(at);
      const bool found = Choose(node, text, places);
      places.pop_back();
      if (found) return true;
    }
    return false;
  }

  double Count(const Node& node, size_t i, const Document& document) const {
    double count = 0;
    for (int field = 0; field < 2; ++field) {
      if (node.field != 2 && node.field != field) continue;
      for (const std::string& word : document[static_cast<size_t>(field)]) {
        if (Is(node, i, word)) count += field == 0 ? 3 : 1;
      }
    }
    return count;
  }

  double WordScore(const Node& node, size_t i, const Document& document) const {
    const double n = static_cast<double>(
        std::count_if(documents.begin(), documents.end(), [&](auto& d) { return Count(node, i, d.second) > 0; }));
    const auto all = static_cast<double>(documents.size());
    double words = 0;
    for (const auto& [key, other] : documents) words += static_cast<double>(other[0].size() + other[1].size());
    const double length = static_cast<double>(document[0].size() + document[1].size()) / (words / all);
    const double f = Count(node, i, document);
    return std::log(1 + (all - n + 0.5) / (n + 0.5)) * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * length));
  }
};

class TextModelTest : public testing::Test {
 protected:
  TextModelTest() {
    std::vector<std::string_view> args = {"i", "STOPWORDS", "0", "SCHEMA", "t", "TEXT", "WEIGHT", "3", "b", "TEXT"};
    index_ = Index::Create(ParseCreate(args).value(), base::DefaultMemory()).value();
  }

  uint32_t Below(uint32_t n) { return random_() % n; }
  const std::string& AnyWord() { return kVocabulary[Below(static_cast<uint32_t>(kVocabulary.size()))]; }

  void Change() {
    const std::string key = "k" + std::to_string(Below(60));
    if (Below(3) == 0) {
      EXPECT_EQ(index_->Remove(key), model_.documents.erase(key) > 0);
      return;
    }
    Document document;
    std::array<std::string, 2> text;
    for (size_t field = 0; field < 2; ++field) {
      for (uint32_t i = Below(8); i > 0; --i) {
        document[field].push_back(AnyWord());
        text[field] += document[field].back() + (Below(4) == 0 ? ", " : " ");
      }
    }
    std::vector<std::optional<std::string_view>> values = {text[0], text[1]};
    ASSERT_TRUE(index_->Put(key, values).ok());
    model_.documents[key] = document;
  }

  Node AnyLeaf() {
    Node node = {static_cast<Node::Kind>(Below(4)), {}, static_cast<int>(Below(3)), 0, true, {}};
    if (node.kind == Node::Kind::kWord) node.words = {AnyWord()};
    if (node.kind == Node::Kind::kPrefix) node.words = {std::string(Below(2) == 0 ? "ra" : "ap")};
    if (node.kind == Node::Kind::kPhrase || node.kind == Node::Kind::kNear) {
      for (uint32_t i = 2 + Below(2); i > 0; --i) node.words.push_back(AnyWord());
    }
    if (node.kind == Node::Kind::kNear) {
      node.slop = Below(4);
      node.in_order = Below(2) == 0;
    }
    return node;
  }

  Node AnyNode(int depth) {
    if (depth == 0 || Below(3) == 0) return AnyLeaf();
    Node node = {static_cast<Node::Kind>(4 + Below(4)), {}, 2, 0, true, {}};
    const bool single = node.kind == Node::Kind::kNot || node.kind == Node::Kind::kOptional;
    for (uint32_t i = single ? 1 : 2; i > 0; --i) node.children.push_back(AnyNode(depth - 1));
    return node;
  }

  static std::string Join(const Words& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
  }

  static std::string TextOf(const Node& node) {
    const std::string field = node.field == 0 ? "@t:" : node.field == 1 ? "@b:" : "";
    switch (node.kind) {
      case Node::Kind::kWord:
        return field + node.words[0];
      case Node::Kind::kPrefix:
        return field + node.words[0] + "*";
      case Node::Kind::kPhrase:
        return field + "\"" + Join(node.words) + "\"";
      case Node::Kind::kNear:
        return field + "(" + Join(node.words) + ")=>{$slop:" + std::to_string(node.slop) +
               "; $inorder:" + (node.in_order ? "true" : "false") + "}";
      case Node::Kind::kAnd:
        return "(" + TextOf(node.children[0]) + " " + TextOf(node.children[1]) + ")";
      case Node::Kind::kOr:
        return "(" + TextOf(node.children[0]) + "|" + TextOf(node.children[1]) + ")";
      case Node::Kind::kNot:
        return "-(" + TextOf(node.children[0]) + ")";
      case Node::Kind::kOptional:
        return "~(" + TextOf(node.children[0]) + ")";
    }
    return "";
  }

  void Check(const Node& node) {
    const std::string text = TextOf(node);
    std::vector<std::string_view> args = {text, "WITHSCORES", "LIMIT", "0", "1000", "DIALECT", "2"};
    Result<SearchPlan> plan = PlanSearch(args, index_->definition());
    ASSERT_TRUE(plan.ok()) << text << ": " << plan.status().message();
    std::map<std::string, double> found;
    double before = INFINITY;
    for (const FoundDocument& document : index_->Search(*plan).documents) {
      found[document.key] = document.score;
      EXPECT_LE(document.score, before);
      before = document.score;
    }
    std::map<std::string, double> expected;
    for (const auto& [key, document] : model_.documents) {
      if (Model::Matches(node, document)) expected[key] = model_.Score(node, document);
    }
    ASSERT_EQ(found.size(), expected.size()) << text;
    for (const auto& [key, score] : expected) {
      ASSERT_TRUE(found.contains(key)) << text << ": " << key;
      ASSERT_NEAR(found[key], score, 1e-9) << text << ": " << key;
    }
  }

  std::mt19937 random_{11};
  Model model_;
  std::unique_ptr<Index> index_;
};

TEST_F(TextModelTest, AnswersAndScoresAsTheModelDoes) {
  for (int round = 0; round < 400; ++round) {
    for (int i = 0; i < 10; ++i) Change();
    for (int i = 0; i < 5; ++i) {
      Check(AnyNode(3));
      if (HasFatalFailure()) return;
    }
  }
  for (const auto& [key, document] : model_.documents) EXPECT_TRUE(index_->Remove(key));
  EXPECT_EQ(index_->Stats().terms, 0u);
  EXPECT_EQ(index_->Stats().records, 0u);
}

}  // namespace
}  // namespace redoubt::search
