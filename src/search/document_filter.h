#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "search/expression.h"
#include "search/schema.h"

namespace redoubt::search {

// FILTER of FT.CREATE: an expression over the fields of a hash, by which the index leaves documents out. A value: any
// thread may ask it.
class DocumentFilter {
 public:
  // A property is a field of the definition, another field of the hash, or `__key`. InvalidArgument as of Expression.
  static base::Result<DocumentFilter> Parse(std::string_view text, const IndexDefinition& definition);

  // Where the hash keeps what the expression asks for; `__key` stands for the document's name.
  const std::vector<std::string>& paths() const { return paths_; }
  // `values` are those at paths(). A document that lacks what the expression needs does not pass.
  bool Passes(std::span<const Value> values) const;

 private:
  DocumentFilter(Expression expression, std::vector<std::string> paths)
      : expression_(std::move(expression)), paths_(std::move(paths)) {}

  Expression expression_;
  std::vector<std::string> paths_;
};

}  // namespace redoubt::search
