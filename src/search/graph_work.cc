#include "search/graph_work.h"

#include <algorithm>
#include <utility>

namespace redoubt::search {
namespace {

// Each a few milliseconds of work. Both in every turn: places of removed vectors come back while others are staged.
constexpr size_t kVectorsPerTurn = 16;
constexpr size_t kNodesPerTurn = 8192;
constexpr size_t kMostStagedBytes = 32 << 20;  // a search reads them in some 3 ms

}  // namespace

void GraphWork::Serve(Graphs graphs) {
  {
    std::lock_guard lock(mu_);
    graphs_.swap(graphs);
  }
  // What was served before is freed here, unless a worker is in it.
}

GraphWork::Graphs GraphWork::graphs() const {
  std::lock_guard lock(mu_);
  return graphs_;
}

size_t GraphWork::staged() const {
  std::lock_guard lock(mu_);
  size_t staged = 0;
  for (const auto& graph : graphs_) staged += graph->staged();
  return staged;
}

bool GraphWork::overfull() const {
  std::lock_guard lock(mu_);
  return std::any_of(graphs_.begin(), graphs_.end(),
                     [](const auto& graph) { return graph->staged() * graph->code_bytes() > kMostStagedBytes; });
}

void GraphWork::LinkOne() {
  for (const auto& graph : graphs()) graph->ConnectOne(gate_);
}

bool GraphWork::pending() const {
  std::lock_guard lock(mu_);
  return std::any_of(graphs_.begin(), graphs_.end(), [](const auto& graph) { return graph->HasWork(); });
}

GraphWork::Turn GraphWork::Run(const std::function<bool()>& stop) {
  Turn turn = Turn::kNone;
  for (const auto& graph : graphs()) {
    const bool linked = graph->ConnectStaged(kVectorsPerTurn, gate_);
    const vector::RepairProgress repaired = graph->Repair(kNodesPerTurn, gate_);
    if (linked || repaired == vector::RepairProgress::kSome || graph->Tune(stop)) {
      turn = Turn::kSome;
    } else if (repaired == vector::RepairProgress::kWaiting && turn == Turn::kNone) {
      turn = Turn::kWaiting;
    }
  }
  return turn;
}

}  // namespace redoubt::search
