#include <fmt/core.h>

#include <charconv>
#include <map>

#include "server/alert/expression_node.h"

namespace redoubt::alert {

using base::InvalidArgument;
using base::Result;

namespace {

using Node = Expression::Node;
using Kind = Node::Kind;
using NodePtr = std::shared_ptr<const Node>;

constexpr size_t kMaxText = 2000;
constexpr int kMaxDepth = 40;
constexpr double kMaxWindowSeconds = 3600;

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

const std::map<std::string_view, Kind> kWindows = {
    {"delta", Kind::kDelta}, {"rate", Kind::kRate}, {"change", Kind::kChange},
    {"max", Kind::kMax},     {"min", Kind::kMin},   {"avg", Kind::kAvg},
    {"sum", Kind::kSum},     {"p99", Kind::kP99},   {"growing", Kind::kGrowing},
};
const std::map<std::string_view, Kind> kVariadic = {
    {"coalesce", Kind::kCoalesce}, {"least", Kind::kLeast}, {"greatest", Kind::kGreatest}};
const std::map<std::string_view, Kind> kOfText = {{"config", Kind::kConfig}, {"errors", Kind::kErrors}};

// Recursive descent, lowest binding first: || && comparison sum product unary primary.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text), whole_(text) {}

  Result<NodePtr> ParseAll() {
    ASSIGN_OR_RETURN(NodePtr root, ParseOr());
    SkipBlanks();
    if (!rest_.empty()) return Fault("an operator or the end");
    return root;
  }
  size_t windows() const { return windows_; }

 private:
  base::Status Fault(std::string_view wanted) const {
    return InvalidArgument(
        fmt::format("in \"{}\" at {}: {} was expected", whole_, whole_.size() - rest_.size() + 1, wanted));
  }

  void SkipBlanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }

  bool Take(std::string_view token) {
    SkipBlanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  static NodePtr Make(Kind kind, std::vector<NodePtr> children) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->children = std::move(children);
    return node;
  }

  Result<NodePtr> ParseOr() {
    if (++depth_ > kMaxDepth) return Fault("less nesting");
    ASSIGN_OR_RETURN(NodePtr left, ParseAnd());
    while (Take("||")) {
      ASSIGN_OR_RETURN(NodePtr right, ParseAnd());
      left = Make(Kind::kOr, {left, right});
    }
    --depth_;
    return left;
  }

  Result<NodePtr> ParseAnd() {
    ASSIGN_OR_RETURN(NodePtr left, ParseComparison());
    while (Take("&&")) {
      ASSIGN_OR_RETURN(NodePtr right, ParseComparison());
      left = Make(Kind::kAnd, {left, right});
    }
    return left;
  }

  Result<NodePtr> ParseComparison() {
    ASSIGN_OR_RETURN(NodePtr left, ParseSum());
    static constexpr std::pair<std::string_view, Kind> kOperators[] = {
        {"==", Kind::kEqual},        {"!=", Kind::kNotEqual}, {"<=", Kind::kLessEqual},
        {">=", Kind::kGreaterEqual}, {"<", Kind::kLess},      {">", Kind::kGreater}};
    for (const auto& [token, kind] : kOperators) {
      if (!Take(token)) continue;
      ASSIGN_OR_RETURN(NodePtr right, ParseSum());
      return Make(kind, {left, right});
    }
    return left;
  }

  Result<NodePtr> ParseSum() {
    ASSIGN_OR_RETURN(NodePtr left, ParseProduct());
    for (;;) {
      Kind kind;
      if (Take("+")) {
        kind = Kind::kAdd;
      } else if (Take("-")) {
        kind = Kind::kSubtract;
      } else {
        return left;
      }
      ASSIGN_OR_RETURN(NodePtr right, ParseProduct());
      left = Make(kind, {left, right});
    }
  }

  Result<NodePtr> ParseProduct() {
    ASSIGN_OR_RETURN(NodePtr left, ParseUnary());
    for (;;) {
      Kind kind;
      if (Take("*")) {
        kind = Kind::kMultiply;
      } else if (Take("/")) {
        kind = Kind::kDivide;
      } else {
        return left;
      }
      ASSIGN_OR_RETURN(NodePtr right, ParseUnary());
      left = Make(kind, {left, right});
    }
  }

  Result<NodePtr> ParseUnary() {
    SkipBlanks();
    bool negation = rest_.starts_with('!') && !rest_.starts_with("!=");
    if (!negation && !rest_.starts_with('-')) return ParsePrimary();
    rest_.remove_prefix(1);
    if (++depth_ > kMaxDepth) return Fault("less nesting");
    ASSIGN_OR_RETURN(NodePtr inner, ParseUnary());
    --depth_;
    return Make(negation ? Kind::kNot : Kind::kNegate, {inner});
  }

  Result<NodePtr> ParsePrimary() {
    SkipBlanks();
    if (rest_.empty()) return Fault("a value");
    if (Take("(")) {
      ASSIGN_OR_RETURN(NodePtr inner, ParseOr());
      if (!Take(")")) return Fault(")");
      return inner;
    }
    auto node = std::make_shared<Node>();
    if (rest_[0] == '\'') {
      node->kind = Kind::kText;
      ASSIGN_OR_RETURN(node->text, ParseText());
      return NodePtr(node);
    }
    if (IsDigit(rest_[0])) {
      node->kind = Kind::kNumber;
      ASSIGN_OR_RETURN(node->number, ParseNumber());
      return NodePtr(node);
    }
    ASSIGN_OR_RETURN(std::string name, ParseName());
    if (Take("(")) return ParseCall(name);
    node->kind = Kind::kField;
    node->text = std::move(name);
    return NodePtr(node);
  }

  Result<std::string> ParseText() {
    if (!Take("'")) return Fault("a text in single quotes");
    size_t end = rest_.find('\'');
    if (end == std::string_view::npos) return Fault("a closing '");
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }

  Result<double> ParseNumber() {
    SkipBlanks();
    double number = 0;
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc()) return Fault("a number");
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return number;
  }

  Result<std::string> ParseName() {
    SkipBlanks();
    if (rest_.empty() || !IsNameStart(rest_[0])) return Fault("a value");
    size_t size = 1;
    while (size < rest_.size() && (IsNameStart(rest_[size]) || IsDigit(rest_[size]) || rest_[size] == '.')) ++size;
    std::string name(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return name;
  }

  Result<NodePtr> ParseCall(const std::string& name) {
    auto node = std::make_shared<Node>();
    if (auto kind = kWindows.find(name); kind != kWindows.end()) {
      node->kind = kind->second;
      node->window = windows_++;
      ASSIGN_OR_RETURN(NodePtr inner, ParseOr());
      if (!Take(",")) return Fault(", and the seconds of the window");
      ASSIGN_OR_RETURN(node->number, ParseNumber());
      if (node->number <= 0 || node->number > kMaxWindowSeconds) return Fault("a window of at most 3600 seconds");
      node->children.push_back(inner);
    } else if (name == "held") {
      node->kind = Kind::kHeld;
      node->window = windows_++;
      ASSIGN_OR_RETURN(NodePtr inner, ParseOr());
      node->children.push_back(inner);
    } else if (auto variadic = kVariadic.find(name); variadic != kVariadic.end()) {
      node->kind = variadic->second;
      do {
        ASSIGN_OR_RETURN(NodePtr inner, ParseOr());
        node->children.push_back(inner);
      } while (Take(","));
    } else if (auto of_text = kOfText.find(name); of_text != kOfText.end()) {
      node->kind = of_text->second;
      ASSIGN_OR_RETURN(node->text, ParseText());
    } else if (name == "calls") {
      node->kind = Kind::kCalls;
      do {
        ASSIGN_OR_RETURN(std::string command, ParseText());
        node->texts.push_back(std::move(command));
      } while (Take(","));
    } else if (name == "has") {
      node->kind = Kind::kHas;
      ASSIGN_OR_RETURN(node->text, ParseName());
    } else if (name == "starts_with") {
      node->kind = Kind::kStartsWith;
      ASSIGN_OR_RETURN(NodePtr inner, ParseOr());
      if (!Take(",")) return Fault(",");
      ASSIGN_OR_RETURN(node->text, ParseText());
      node->children.push_back(inner);
    } else {
      return Fault(fmt::format("a known function instead of {}()", name));
    }
    if (!Take(")")) return Fault(")");
    return NodePtr(node);
  }

  std::string_view rest_;
  std::string_view whole_;
  int depth_ = 0;
  size_t windows_ = 0;
};

}  // namespace

Result<Expression> Expression::Parse(std::string_view text) {
  if (text.size() > kMaxText) return InvalidArgument(fmt::format("an expression has at most {} characters", kMaxText));
  Parser parser(text);
  ASSIGN_OR_RETURN(NodePtr root, parser.ParseAll());
  Expression expression;
  expression.root_ = std::move(root);
  expression.windows_ = parser.windows();
  return expression;
}

}  // namespace redoubt::alert
