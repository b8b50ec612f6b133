#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backends/common/protobuf.h"

namespace redoubt::backends::tf {

// What we have to know of a serialized GraphDef before TensorFlow sees it: importing one already runs parts of it.
// All views point into the bytes it was read from.
struct Node {
  std::string_view name;
  std::string_view op;
  std::vector<std::string_view> inputs;     // "node", "node:1", "^node"; in functions also "argument", "node:out:0"
  std::vector<std::string_view> functions;  // of the library, named in its attributes
  bool has_string_type = false;             // one of its attributes is the type of strings
};

struct Function {
  std::vector<std::string_view> arguments;
  std::vector<Node> nodes;
};

struct Graph {
  std::vector<Node> nodes;
  std::map<std::string_view, Function> functions;
  uint64_t constant_bytes = 0;  // in Const nodes, as they are serialized
};

// Adds the nodes and functions of a GraphDef. Throws std::invalid_argument, "Invalid GraphDef".
void ReadGraph(Bytes graph_def, Graph* graph);

// The name of the node behind an input: "node" of "node:1" and of "^node".
std::string_view NodeOf(std::string_view input);

// Every op that runs, or can run, when `roots` (node names) are computed: theirs and those of all they depend on and of
// all functions these name.
std::set<std::string_view> OpsBehind(const Graph& graph, const std::vector<std::string_view>& roots);

// Whether `op` reads or writes files, opens connections, runs code from outside the graph, or ends the process. Saving
// and restoring variables is among them.
bool IsForbidden(std::string_view op);

// Refuses graphs that hold such an op anywhere. Throws std::invalid_argument, which names it.
void CheckOps(const Graph& graph);

}  // namespace redoubt::backends::tf
