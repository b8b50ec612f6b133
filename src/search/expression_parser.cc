#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "search/args.h"
#include "search/expression_node.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using Node = Expression::Node;
using Kind = Node::Kind;
using NodePtr = std::unique_ptr<Node>;

constexpr int kMaxDepth = 100;
constexpr int kMaxOperators = 1000;
constexpr size_t kMaxBytes = size_t{64} << 10;

struct Symbol {
  std::string_view text;
  Operator op;
  int strength;  // a stronger one is computed first
};

// Longer ones before those that they begin with.
constexpr std::array kSymbols = {
    Symbol{"||", Operator::kOr, 1},      Symbol{"&&", Operator::kAnd, 2},    Symbol{"==", Operator::kEqual, 3},
    Symbol{"!=", Operator::kUnequal, 3}, Symbol{"<=", Operator::kAtMost, 3}, Symbol{">=", Operator::kAtLeast, 3},
    Symbol{"<", Operator::kLess, 3},     Symbol{">", Operator::kMore, 3},    Symbol{"+", Operator::kPlus, 4},
    Symbol{"-", Operator::kMinus, 4},    Symbol{"*", Operator::kTimes, 5},   Symbol{"/", Operator::kDivide, 5},
    Symbol{"%", Operator::kModulo, 5},   Symbol{"^", Operator::kPower, 6},
};

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0; }

NodePtr MakeNode(Kind kind) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  return node;
}

NodePtr Literal(Value value) {
  NodePtr node = MakeNode(Kind::kLiteral);
  node->literal = std::move(value);
  return node;
}

class Parser {
 public:
  Parser(std::string_view text, const Params& params, const Expression::Resolver& resolver)
      : text_(text), params_(params), resolver_(resolver) {}

  Result<NodePtr> Parse() {
    ASSIGN_OR_RETURN(NodePtr root, ParseBinary(1, 0));
    SkipSpace();
    if (at_ != text_.size()) return SyntaxError();
    return root;
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void SkipSpace() {
    while (IsSpace(Peek())) ++at_;
  }

  bool Take(char c) {
    SkipSpace();
    if (Peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }

  Status SyntaxError() const {
    return InvalidArgument(fmt::format("Syntax error at offset {} near '{}'", at_, text_.substr(at_, 16)));
  }

  Status CheckDepth(int depth) const {
    if (depth <= kMaxDepth) return base::OkStatus();
    return InvalidArgument(fmt::format("Expression is nested too deep: at most {} levels", kMaxDepth));
  }

  const Symbol* PeekSymbol() {
    SkipSpace();
    auto next = [&](const Symbol& symbol) { return text_.substr(at_).starts_with(symbol.text); };
    auto found = std::find_if(kSymbols.begin(), kSymbols.end(), next);
    return found == kSymbols.end() ? nullptr : &*found;
  }

  // Operators of at least this strength, from left to right. Their number is bounded too: the tree leans left and is
  // walked recursively.
  Result<NodePtr> ParseBinary(int strength, int depth) {
    RETURN_IF_ERROR(CheckDepth(depth));
    ASSIGN_OR_RETURN(NodePtr left, ParseUnary(depth));
    for (const Symbol* symbol = PeekSymbol(); symbol != nullptr && symbol->strength >= strength;
         symbol = PeekSymbol()) {
      if (++operators_ > kMaxOperators) {
        return InvalidArgument(fmt::format("Expression has more than {} operators", kMaxOperators));
      }
      at_ += symbol->text.size();
      NodePtr node = MakeNode(Kind::kBinary);
      node->op = symbol->op;
      node->children.push_back(std::move(left));
      ASSIGN_OR_RETURN(NodePtr right, ParseBinary(symbol->strength + 1, depth + 1));
      node->children.push_back(std::move(right));
      left = std::move(node);
    }
    return left;
  }

  Result<NodePtr> ParseUnary(int depth) {
    RETURN_IF_ERROR(CheckDepth(depth));
    for (auto [sign, kind] : {std::pair('!', Kind::kNot), std::pair('-', Kind::kNegate)}) {
      if (!Take(sign)) continue;
      NodePtr node = MakeNode(kind);
      ASSIGN_OR_RETURN(NodePtr child, ParseUnary(depth + 1));
      node->children.push_back(std::move(child));
      return node;
    }
    return ParsePrimary(depth);
  }

  Result<NodePtr> ParsePrimary(int depth) {
    if (Take('(')) {
      ASSIGN_OR_RETURN(NodePtr node, ParseBinary(1, depth + 1));
      if (!Take(')')) return SyntaxError();
      return node;
    }
    SkipSpace();
    char next = Peek();
    if (next == '\'' || next == '"') return ParseText();
    if (next == '@') return ParseProperty();
    if (next == '$') return ParseParam();
    if (IsDigit(next) || next == '.') return ParseNumber();
    if (IsLetter(next)) return ParseWord(depth);
    return SyntaxError();
  }

  Result<NodePtr> ParseText() {
    const size_t begin = at_;
    const char quote = text_[at_++];
    std::string value;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_];
    }
    if (at_ >= text_.size()) {
      at_ = begin;
      return SyntaxError();
    }
    ++at_;
    return Literal(Value(std::move(value)));
  }

  Result<NodePtr> ParseNumber() {
    size_t end = at_;
    while (end < text_.size() && (IsDigit(text_[end]) || text_[end] == '.')) ++end;
    if (end < text_.size() && (text_[end] | 32) == 'e') {
      size_t digits = end + 1;
      if (digits < text_.size() && (text_[digits] == '+' || text_[digits] == '-')) ++digits;
      if (digits < text_.size() && IsDigit(text_[digits])) {
        while (digits < text_.size() && IsDigit(text_[digits])) ++digits;
        end = digits;
      }
    }
    std::optional<double> number = ParseDouble(text_.substr(at_, end - at_));
    if (!number) return SyntaxError();
    at_ = end;
    return Literal(Value(*number));
  }

  std::string_view Name() {
    size_t begin = at_;
    while (at_ < text_.size() && (IsLetter(text_[at_]) || IsDigit(text_[at_]))) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Result<NodePtr> ParseProperty() {
    ++at_;
    // Names may hold dots and colons.
    size_t begin = at_;
    while (!Name().empty() || Peek() == '.' || (Peek() == ':' && at_ > begin)) {
      if (Peek() == '.' || Peek() == ':') ++at_;
    }
    std::string_view name = text_.substr(begin, at_ - begin);
    if (name.empty()) return SyntaxError();
    NodePtr node = MakeNode(Kind::kProperty);
    node->name = name;
    ASSIGN_OR_RETURN(node->column, resolver_(name));
    return node;
  }

  Result<NodePtr> ParseParam() {
    ++at_;
    std::string_view name = Name();
    auto same = [&](const auto& param) { return param.first == name; };
    auto found = std::find_if(params_.begin(), params_.end(), same);
    if (found == params_.end()) return InvalidArgument(fmt::format("No such parameter `{}`", name));
    if (std::optional<double> number = ParseDouble(found->second)) return Literal(Value(*number));
    return Literal(Value(std::string(found->second)));
  }

  // NULL or a call.
  Result<NodePtr> ParseWord(int depth) {
    std::string_view name = Name();
    if (!Take('(')) {
      if (EqualsIgnoringCase(name, "NULL")) return Literal(Value::Null());
      return InvalidArgument(fmt::format("Unknown symbol '{}': text needs quotes, a property an @", name));
    }
    NodePtr node = MakeNode(Kind::kCall);
    node->function = FindExpressionFunction(name);
    if (node->function == nullptr) return InvalidArgument(fmt::format("Unknown function name '{}'", name));
    if (!Take(')')) {
      do {
        ASSIGN_OR_RETURN(NodePtr argument, ParseBinary(1, depth + 1));
        node->children.push_back(std::move(argument));
      } while (Take(','));
      if (!Take(')')) return SyntaxError();
    }
    if (node->children.size() < node->function->fewest || node->children.size() > node->function->most) {
      return InvalidArgument(fmt::format("Invalid arguments for function '{}'", node->function->name));
    }
    return node;
  }

  std::string_view text_;
  const Params& params_;
  const Expression::Resolver& resolver_;
  size_t at_ = 0;
  int operators_ = 0;
};

}  // namespace

Result<Expression> Expression::Parse(std::string_view text, const Params& params, const Resolver& resolver) {
  if (text.size() > kMaxBytes) return InvalidArgument("Expression is longer than 64 KiB");
  ASSIGN_OR_RETURN(NodePtr root, Parser(text, params, resolver).Parse());
  return Expression(std::shared_ptr<const Node>(std::move(root)));
}

}  // namespace redoubt::search
