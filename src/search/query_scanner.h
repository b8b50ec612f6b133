#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "search/query_parser.h"

namespace redoubt::search {

// The characters of a query, with an offset for error texts. Borrows the text and the parameters.
class QueryScanner {
 public:
  QueryScanner(std::string_view text, const Params& params) : text_(text), params_(params) {}

  size_t offset() const { return at_; }
  void Rewind(size_t offset) { at_ = offset; }
  bool done() const { return at_ == text_.size(); }
  char Peek() const { return done() ? '\0' : text_[at_]; }
  char PeekAfter(size_t n) const { return at_ + n < text_.size() ? text_[at_ + n] : '\0'; }

  // Over one character, or over a backslash and what it precedes. Not when done().
  void Step() { at_ += text_[at_] == '\\' && at_ + 1 < text_.size() ? 2 : 1; }
  std::string_view Between(size_t begin, size_t end) const { return text_.substr(begin, end - begin); }

  void SkipSpace();
  // Steps over `token` when it comes next, after spaces.
  bool Take(std::string_view token);
  // As Take(), for a word in either case that ends there.
  bool TakeWord(std::string_view word);
  base::Status Expect(std::string_view token);

  // Letters, digits, `_`, bytes of UTF-8 and what a backslash precedes; empty when none comes next.
  std::string Name();
  // Everything up to the next space or one of `]}):;|`.
  std::string_view Bare();
  // Bare text, or the value of the parameter it names by `$`.
  base::Result<std::string_view> Value();
  base::Result<std::string_view> Param(std::string_view name) const;

  // "Syntax error at offset 7 near ]": where the scan stands.
  base::Status SyntaxError() const { return SyntaxErrorAt(at_); }
  base::Status SyntaxErrorAt(size_t offset) const;
  // "<what> at offset 7 near price"
  base::Status ErrorAt(std::string_view what, size_t offset, std::string_view near) const;

 private:
  std::string_view text_;
  const Params& params_;
  size_t at_ = 0;
};

}  // namespace redoubt::search
