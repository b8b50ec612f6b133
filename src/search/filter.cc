#include "search/filter.h"

#include "search/numeric_index.h"
#include "search/tag_index.h"

namespace redoubt::search {

IdSet FilterEvaluator::All(const FilterNode& node) const {
  IdSet set = Evaluate(*node.children[0]);
  for (size_t i = 1; i < node.children.size(); ++i) set.IntersectWith(Evaluate(*node.children[i]));
  return set;
}

IdSet FilterEvaluator::Any(const FilterNode& node) const {
  IdSet set(documents_.bound());
  for (const auto& child : node.children) set.UniteWith(Evaluate(*child));
  return set;
}

IdSet FilterEvaluator::AllBut(const FilterNode& node) const {
  IdSet set = documents_.All();
  set.Subtract(Evaluate(*node.children[0]));
  return set;
}

IdSet FilterEvaluator::Evaluate(const FilterNode& node) const {
  IdSet set(documents_.bound());
  switch (node.kind) {
    case FilterNode::Kind::kAll:
      return documents_.All();
    case FilterNode::Kind::kAnd:
      return All(node);
    case FilterNode::Kind::kOr:
      return Any(node);
    case FilterNode::Kind::kNot:
      return AllBut(node);
    case FilterNode::Kind::kTag:
      fields_[node.field]->tags()->Collect(node.tags, set);
      return set;
    case FilterNode::Kind::kNumeric:
      fields_[node.field]->numbers()->Collect(node.range, set);
      return set;
  }
  return set;
}

}  // namespace redoubt::search
