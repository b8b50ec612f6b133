#include "search/document_filter.h"

#include <algorithm>
#include <utility>

namespace redoubt::search {

base::Result<DocumentFilter> DocumentFilter::Parse(std::string_view text, const IndexDefinition& definition) {
  constexpr size_t kMaxPaths = 1024;
  std::vector<std::string> paths;
  const auto resolve = [&](std::string_view name) -> base::Result<size_t> {
    const std::optional<size_t> field = definition.FindField(name);
    const std::string path = field ? definition.fields[*field].path : std::string(name);
    const auto known = std::find(paths.begin(), paths.end(), path);
    if (known != paths.end()) return static_cast<size_t>(known - paths.begin());
    if (paths.size() == kMaxPaths) return base::InvalidArgument("FILTER asks for too many fields");
    paths.push_back(path);
    return paths.size() - 1;
  };
  ASSIGN_OR_RETURN(Expression expression, Expression::Parse(text, {}, resolve));
  return DocumentFilter(std::move(expression), std::move(paths));
}

bool DocumentFilter::Passes(std::span<const Value> values) const {
  const base::Result<Value> passes = expression_.Evaluate(values);
  return passes.ok() && passes->Truthy();
}

}  // namespace redoubt::search
