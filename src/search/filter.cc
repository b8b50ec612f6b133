#include "search/filter.h"

#include <utility>

#include "base/clock.h"
#include "search/graph_field.h"
#include "search/numeric_index.h"
#include "search/tag_index.h"
#include "search/text_matcher.h"
#include "search/vector_field.h"
#include "search/vector_owners.h"

namespace redoubt::search {

IdSet FilterEvaluator::All(const FilterNode& node) const {
  IdSet set = Evaluate(*node.children[0]);
  for (size_t i = 1; i < node.children.size(); ++i) set.IntersectWith(Evaluate(*node.children[i]));
  if (node.text != nullptr) {
    IdSet close(documents_.bound());
    CollectText(*node.text, fields_, stop_, close);
    set.IntersectWith(close);
  }
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
  // What was cut short may have left out documents that are not to be found.
  return stop_ && stop_() ? IdSet(documents_.bound()) : set;
}

IdSet FilterEvaluator::Near(const FilterNode& node) const {
  const VectorRange& range = *node.vector_range;
  const GraphField* graph = fields_[node.field]->graph();
  std::vector<vector::Hit> hits =
      graph != nullptr ? graph->InRange(range.blob, range.radius, stop_)
                       : fields_[node.field]->vectors()->InRange({range.blob, 0, nullptr, stop_, range.radius});
  if (const VectorOwners* owners = fields_[node.field]->owners()) hits = owners->Documents(std::move(hits));
  IdSet set(documents_.bound());
  for (const vector::Hit& hit : hits) set.Insert(hit.id);
  if (range.name) distances_.Note(*range.name, std::move(hits));
  return set;
}

IdSet FilterEvaluator::Without(const FieldIndex& field) const {
  IdSet set = documents_.All();
  field.presence()->RemoveFrom(set);
  return set;
}

IdSet FilterEvaluator::Named(const FilterNode& node) const {
  IdSet set(documents_.bound());
  for (const std::string& key : node.keys) {
    if (std::optional<Id> id = documents_.Find(key)) set.Insert(*id);
  }
  return set;
}

IdSet FilterEvaluator::Evaluate(const FilterNode& node) const {
  if (profile_ == nullptr) return EvaluateNode(node);
  const base::SystemClock clock;
  const int64_t begin = clock.SteadyMicros();
  IdSet set = EvaluateNode(node);
  profile_->nodes.push_back({&node, set.Count(), clock.SteadyMicros() - begin});
  return set;
}

IdSet FilterEvaluator::EvaluateNode(const FilterNode& node) const {
  IdSet set(documents_.bound());
  switch (node.kind) {
    case FilterNode::Kind::kAll:
    case FilterNode::Kind::kOptional:
      return documents_.All();
    case FilterNode::Kind::kAnd:
      return All(node);
    case FilterNode::Kind::kOr:
      return Any(node);
    case FilterNode::Kind::kNot:
      return AllBut(node);
    case FilterNode::Kind::kMissing:
      return Without(*fields_[node.field]);
    case FilterNode::Kind::kKeys:
      return Named(node);
    case FilterNode::Kind::kText:
      CollectText(*node.text, fields_, stop_, set);
      return set;
    case FilterNode::Kind::kTag:
      fields_[node.field]->tags()->Collect(node.tags, set);
      return set;
    case FilterNode::Kind::kNumeric:
      fields_[node.field]->numbers()->Collect(node.range, set);
      return set;
    case FilterNode::Kind::kVectorRange:
      return Near(node);
  }
  return set;
}

}  // namespace redoubt::search
