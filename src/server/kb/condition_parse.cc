#include <fmt/core.h>

#include <array>
#include <cctype>
#include <charconv>

#include "server/kb/condition.h"
#include "server/kb/condition_node.h"

namespace redoubt::kb {

using base::Result;
using NodePtr = std::shared_ptr<const Condition::Node>;

// Recursive descent; nesting is bounded, since entries come from users too.
class ConditionParser {
 public:
  explicit ConditionParser(std::string_view text) : text_(text) {}

  Result<NodePtr> ParseAll() {
    ASSIGN_OR_RETURN(NodePtr node, ParseOr());
    SkipSpace();
    if (pos_ != text_.size()) return Expected("'and', 'or' or the end");
    return node;
  }

 private:
  using Kind = Condition::Node::Kind;
  static constexpr int kMaxDepth = 40;

  Result<NodePtr> ParseOr() {
    if (++depth_ > kMaxDepth) return base::InvalidArgument("condition is nested too deeply");
    ASSIGN_OR_RETURN(NodePtr left, ParseAnd());
    while (Word("or")) {
      ASSIGN_OR_RETURN(NodePtr right, ParseAnd());
      left = Make(Kind::kOr, "or", left, right);
    }
    --depth_;
    return left;
  }

  Result<NodePtr> ParseAnd() {
    ASSIGN_OR_RETURN(NodePtr left, ParseNot());
    while (Word("and")) {
      ASSIGN_OR_RETURN(NodePtr right, ParseNot());
      left = Make(Kind::kAnd, "and", left, right);
    }
    return left;
  }

  Result<NodePtr> ParseNot() {
    if (!Word("not")) return ParseCompare();
    if (++depth_ > kMaxDepth) return base::InvalidArgument("condition is nested too deeply");
    ASSIGN_OR_RETURN(NodePtr inner, ParseNot());
    --depth_;
    return Make(Kind::kNot, "not", inner, nullptr);
  }

  Result<NodePtr> ParseCompare() {
    SkipSpace();
    size_t begin = pos_;
    ASSIGN_OR_RETURN(NodePtr left, ParseSum());
    for (std::string_view op : {">=", "<=", "==", "!=", ">", "<", "~"}) {
      if (!Symbol(op)) continue;
      ASSIGN_OR_RETURN(NodePtr right, ParseSum());
      auto node = std::make_shared<Condition::Node>(*Make(Kind::kCompare, std::string(op), left, right));
      node->source = Trim(text_.substr(begin, pos_ - begin));
      return NodePtr(node);
    }
    return left;  // known(x), or something in brackets
  }

  Result<NodePtr> ParseSum() {
    ASSIGN_OR_RETURN(NodePtr left, ParseProduct());
    while (true) {
      bool plus = Symbol("+");
      if (!plus && !Symbol("-")) return left;
      ASSIGN_OR_RETURN(NodePtr right, ParseProduct());
      left = Make(Kind::kArithmetic, plus ? "+" : "-", left, right);
    }
  }

  Result<NodePtr> ParseProduct() {
    ASSIGN_OR_RETURN(NodePtr left, ParseValue());
    while (true) {
      bool times = Symbol("*");
      if (!times && !Symbol("/")) return left;
      ASSIGN_OR_RETURN(NodePtr right, ParseValue());
      left = Make(Kind::kArithmetic, times ? "*" : "/", left, right);
    }
  }

  Result<NodePtr> ParseValue() {
    SkipSpace();
    if (pos_ >= text_.size()) return Expected("a value");
    char c = text_[pos_];
    if (c == '(') {
      ++pos_;
      ASSIGN_OR_RETURN(NodePtr inner, ParseOr());
      if (!Symbol(")")) return Expected("')'");
      return inner;
    }
    if (c == '\'') return ParseText();
    if (std::isdigit(static_cast<unsigned char>(c))) return ParseNumber();
    if (std::isalpha(static_cast<unsigned char>(c)) || c == '_') return ParseName();
    return Expected("a value");
  }

  Result<NodePtr> ParseText() {
    size_t end = text_.find('\'', pos_ + 1);
    if (end == std::string_view::npos) return Expected("a closing quote");
    NodePtr node = Make(Kind::kText, std::string(text_.substr(pos_ + 1, end - pos_ - 1)), nullptr, nullptr);
    pos_ = end + 1;
    return node;
  }

  Result<NodePtr> ParseNumber() {
    double number = 0;
    auto [end, error] = std::from_chars(text_.data() + pos_, text_.data() + text_.size(), number);
    if (error != std::errc()) return Expected("a number");
    pos_ = static_cast<size_t>(end - text_.data());
    static constexpr std::array<std::pair<std::string_view, double>, 4> kUnits = {
        {{"kb", 1024.0}, {"mb", 1048576.0}, {"gb", 1073741824.0}, {"%", 0.01}}};
    for (auto [unit, factor] : kUnits) {
      if (text_.substr(pos_).starts_with(unit)) {
        number *= factor;
        pos_ += unit.size();
        break;
      }
    }
    auto node = std::make_shared<Condition::Node>(*Make(Kind::kNumber, "", nullptr, nullptr));
    node->number = number;
    return NodePtr(node);
  }

  Result<NodePtr> ParseName() {
    std::string name(TakeName());
    if (!Symbol("(")) return Make(Kind::kField, name, nullptr, nullptr);
    if (name != "delta" && name != "rate" && name != "lifetime" && name != "known") {
      return base::InvalidArgument(
          fmt::format("unknown function '{}': there are delta, rate, lifetime and known", name));
    }
    SkipSpace();
    std::string field(TakeName());
    if (field.empty()) return Expected("a field name");
    if (!Symbol(")")) return Expected("')'");
    return Make(Kind::kCall, name, Make(Kind::kField, field, nullptr, nullptr), nullptr);
  }

  // Settings have hyphens ("config.tcp-keepalive"); so does no INFO field, where "a - b" needs its spaces.
  std::string_view TakeName() {
    size_t begin = pos_;
    while (pos_ < text_.size()) {
      char c = text_[pos_];
      bool dotted = text_.substr(begin, pos_ - begin).find('.') != std::string_view::npos;
      if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.' && !(c == '-' && dotted)) break;
      ++pos_;
    }
    return text_.substr(begin, pos_ - begin);
  }

  bool Word(std::string_view word) {
    SkipSpace();
    if (!text_.substr(pos_).starts_with(word)) return false;
    size_t after = pos_ + word.size();
    if (after < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[after])) || text_[after] == '_')) {
      return false;
    }
    pos_ = after;
    return true;
  }

  bool Symbol(std::string_view symbol) {
    SkipSpace();
    if (!text_.substr(pos_).starts_with(symbol)) return false;
    pos_ += symbol.size();
    return true;
  }

  void SkipSpace() {
    while (pos_ < text_.size() && text_[pos_] == ' ') ++pos_;
  }

  static std::string Trim(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return std::string(text);
  }

  static NodePtr Make(Kind kind, std::string word, NodePtr left, NodePtr right) {
    auto node = std::make_shared<Condition::Node>();
    node->kind = kind;
    node->word = std::move(word);
    node->left = std::move(left);
    node->right = std::move(right);
    return node;
  }

  base::Status Expected(std::string_view what) const {
    return base::InvalidArgument(fmt::format("expected {} at {}: '{}'", what, pos_, text_));
  }

  std::string_view text_;
  size_t pos_ = 0;
  int depth_ = 0;
};

Result<Condition> Condition::Parse(std::string_view text) {
  ASSIGN_OR_RETURN(NodePtr root, ConditionParser(text).ParseAll());
  Condition condition;
  condition.text_ = std::string(text);
  condition.root_ = std::move(root);
  return condition;
}

}  // namespace redoubt::kb
