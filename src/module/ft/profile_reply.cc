#include "module/ft/profile_reply.h"

#include <fmt/core.h>

#include <algorithm>

#include "module/ft/reply_tape.h"
#include "search/explain.h"

namespace redoubt::ft {
namespace {

using search::FilterNode;

double Millis(int64_t micros) { return static_cast<double>(micros) / 1000; }

class ProfileWriter {
 public:
  ProfileWriter(ReplyTape& tape, const QueryProfile& profile, const search::Query& query,
                const search::IndexDefinition& definition)
      : tape_(tape), profile_(profile), query_(query), definition_(definition) {}

  void Write() {
    constexpr size_t kParts = 6;
    tape_.Resp3() ? tape_.ReplyMap(kParts) : tape_.ReplyArray(kParts);
    Time("Total profile time", profile_.total_us);
    Time("Parsing time", profile_.parsing_us);
    Time("Pipeline creation time", 0);
    Warning();
    Name("Iterators profile", 1);
    if (tape_.Resp3()) tape_.ReplyArray(1);
    query_.knn ? Vectors() : Filter(*query_.filter);
    Steps();
  }

 private:
  // In RESP2 each part is an array of its name and `values` values.
  void Name(const char* name, size_t values) {
    if (!tape_.Resp3()) tape_.ReplyArray(1 + values);
    tape_.ReplyStatus(name);
  }

  void Number(double value) { tape_.Resp3() ? tape_.ReplyDouble(value) : tape_.ReplyBulk(fmt::format("{:g}", value)); }

  void Time(const char* name, int64_t micros) {
    Name(name, 1);
    Number(Millis(micros));
  }

  void Warning() {
    if (profile_.timed_out || tape_.Resp3()) {
      Name("Warning", 1);
      tape_.ReplyBulk(profile_.timed_out ? "Timeout limit was reached" : "None");
    } else {
      Name("Warning", 0);
    }
  }

  void Text(const char* name, std::string_view value) {
    tape_.ReplyStatus(name);
    tape_.ReplyBulk(value);
  }

  void Counts(int64_t micros, size_t count) {
    tape_.ReplyStatus("Time");
    Number(Millis(micros));
    tape_.ReplyStatus("Counter");
    tape_.ReplyInteger(static_cast<int64_t>(count));
  }

  const search::SearchProfile::Node* Find(const FilterNode& node) const {
    auto found = std::find_if(profile_.search.nodes.begin(), profile_.search.nodes.end(),
                              [&](const auto& noted) { return noted.node == &node; });
    return found == profile_.search.nodes.end() ? nullptr : &*found;
  }

  void ChildrenStart(size_t count) {
    tape_.ReplyStatus("Child iterators");
    if (tape_.Resp3()) tape_.ReplyArray(count);
  }

  void Filter(const FilterNode& node) {
    const search::SearchProfile::Node* noted = Find(node);
    const std::string term = search::FilterNodeTerm(node, definition_);
    const size_t children = profile_.limited ? 0 : node.children.size();
    const size_t pairs = 3 + (term.empty() ? 0 : 1);
    if (tape_.Resp3()) {
      tape_.ReplyMap(pairs + (children > 0 ? 1 : 0));
    } else {
      tape_.ReplyArray(pairs * 2 + (children > 0 ? 1 + children : 0));
    }
    Text("Type", search::FilterNodeName(node));
    if (!term.empty()) Text("Term", term);
    Counts(noted == nullptr ? 0 : noted->micros, noted == nullptr ? 0 : noted->documents);
    if (children == 0) return;
    ChildrenStart(children);
    for (const auto& child : node.children) Filter(*child);
  }

  void Vectors() {
    const bool filtered = query_.filter->kind != FilterNode::Kind::kAll;
    constexpr size_t kPairs = 5;
    if (tape_.Resp3()) {
      tape_.ReplyMap(kPairs + (filtered ? 1 : 0));
    } else {
      tape_.ReplyArray(kPairs * 2 + (filtered ? 2 : 0));
    }
    Text("Type", "VECTOR");
    Text("Term", fmt::format("@{}", definition_.fields[query_.knn->field].name));
    Text("Vector search mode", VectorPlan(filtered));
    Counts(profile_.search_us, profile_.found);
    if (!filtered) return;
    ChildrenStart(1);
    Filter(*query_.filter);
  }

  std::string VectorPlan(bool filtered) const {
    if (!profile_.search.vector_plan.empty()) return profile_.search.vector_plan;
    const search::SearchProfile::Node* root = Find(*query_.filter);
    if (!filtered || root == nullptr) return fmt::format("search of all {} documents", profile_.vectors);
    return fmt::format("search of the {} documents of {} that pass the filter", root->documents, profile_.vectors);
  }

  void Steps() {
    Name("Result processors profile", profile_.steps.size());
    if (tape_.Resp3()) tape_.ReplyArray(profile_.steps.size());
    for (const ProfiledStep& step : profile_.steps) {
      tape_.ReplyMap(3);
      Text("Type", step.name);
      Counts(step.micros, step.rows);
    }
  }

  ReplyTape& tape_;
  const QueryProfile& profile_;
  const search::Query& query_;
  const search::IndexDefinition& definition_;
};

}  // namespace

void ReplyResultsStart(host::Context& ctx) {
  if (!ctx.Resp3()) return ctx.ReplyArray(2);
  ctx.ReplyMap(2);
  ctx.ReplyStatus("Results");
}

std::string ProfileTape(const QueryProfile& profile, const search::Query& query,
                        const search::IndexDefinition& definition, bool resp3) {
  ReplyTape tape(resp3);
  ProfileWriter(tape, profile, query, definition).Write();
  return tape.Take();
}

void ReplyProfile(host::Context& ctx, const QueryProfile& profile, const search::Query& query,
                  const search::IndexDefinition& definition) {
  if (ctx.Resp3()) ctx.ReplyStatus("Profile");
  ReplyTape::Play(ProfileTape(profile, query, definition, ctx.Resp3()), ctx);
}

}  // namespace redoubt::ft
