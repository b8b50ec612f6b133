#include <stdexcept>

#include "backends/tf/graph.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt::backends::tf;  // NOLINT: the one function outside of the namespace
  Graph graph;
  try {
    ReadGraph({data, size}, &graph);
    CheckOps(graph);
    if (!graph.nodes.empty()) (void)OpsBehind(graph, {graph.nodes.front().name});
  } catch (const std::invalid_argument&) {
    return 0;  // what it says of damaged and of hostile graphs
  }
  return 0;
}
