#include "backends/tf/graph.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace redoubt::backends::tf {
namespace {

std::string NodeText(const std::string& name, const std::string& op, const std::vector<std::string>& inputs = {},
                     const std::string& function = "") {
  std::string node = BytesField(1, name) + BytesField(2, op);
  for (const std::string& input : inputs) node += BytesField(3, input);
  if (!function.empty()) {
    const std::string value = BytesField(10, BytesField(1, function));
    node += BytesField(5, BytesField(1, "f") + BytesField(2, value));
  }
  return node;
}

std::string Library(const std::string& name, const std::string& node) {
  return BytesField(2, BytesField(1, BytesField(1, BytesField(1, name)) + BytesField(3, node)));
}

Graph Read(const std::string& bytes) {
  Graph graph;
  ReadGraph({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, &graph);
  return graph;
}

std::string Refusal(const std::string& bytes) {
  const Graph graph = Read(bytes);
  try {
    CheckOps(graph);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TEST(TfGraphTest, RefusesOpsThatReachOutsideWhereverTheyAre) {
  EXPECT_EQ(Refusal(BytesField(1, NodeText("a", "MatMul"))), "");
  EXPECT_NE(Refusal(BytesField(1, NodeText("a", "ReadFile"))).find("ReadFile"), std::string::npos);
  EXPECT_NE(Refusal(Library("f", NodeText("a", "EagerPyFunc"))).find("EagerPyFunc"), std::string::npos);
  // A second library is merged into the first by protobuf.
  const std::string two = Library("f", NodeText("a", "Add")) + Library("g", NodeText("a", "SaveV2"));
  EXPECT_NE(Refusal(two).find("SaveV2"), std::string::npos);
}

TEST(TfGraphTest, KnowsTheFamilies) {
  for (const char* op : {"RestoreV2", "DebugIdentityV3", "DataServiceDatasetV4", "RpcServer", "SnapshotDatasetV2",
                         "XlaCustomCallV2", "_Send", "PrintV2", "Abort", "ImmutableConst", "LMDBReader"}) {
    EXPECT_TRUE(IsForbidden(op)) << op;
  }
  for (const char* op : {"Add", "Placeholder", "Reshape", "ReadVariableOp", "StatefulPartitionedCall", "Sin", ""}) {
    EXPECT_FALSE(IsForbidden(op)) << op;
  }
}

TEST(TfGraphTest, DoesNotGuessWhichOfTwoOpsIsMeant) {
  EXPECT_THROW(Read(BytesField(1, NodeText("a", "Add") + BytesField(2, "ReadFile"))), std::invalid_argument);
  EXPECT_THROW(Read(BytesField(1, NodeText("a", "ReadFile") + BytesField(2, "Add"))), std::invalid_argument);
}

TEST(TfGraphTest, RefusesWhatItCannotFollow) {
  const std::string node = BytesField(1, NodeText("a", "ReadFile"));
  EXPECT_THROW(Read("\x0b" + node + "\x0c"), std::invalid_argument);  // a group around it
  EXPECT_THROW(Read(node.substr(0, node.size() - 1)), std::invalid_argument);
  EXPECT_THROW(Read(std::string("\x0a\xff\xff\xff\xff\x7f", 6)), std::invalid_argument);
  EXPECT_THROW(Read(std::string("\x02\x00", 2)), std::invalid_argument);
}

TEST(TfGraphTest, FindsWhatRunsForAnOutput) {
  const std::string bytes = BytesField(1, NodeText("x", "Placeholder")) +
                            BytesField(1, NodeText("y", "StatefulPartitionedCall", {"x:0", "^c"}, "f")) +
                            BytesField(1, NodeText("c", "NoOp")) + BytesField(1, NodeText("other", "Sub")) +
                            Library("f", NodeText("n", "g")) + Library("g", NodeText("m", "Tanh", {"x"}));
  const Graph graph = Read(bytes);
  const std::set<std::string_view> ops = OpsBehind(graph, {"y"});
  EXPECT_EQ(ops, (std::set<std::string_view>{"Placeholder", "StatefulPartitionedCall", "NoOp", "g", "Tanh"}));
}

TEST(TfGraphTest, FollowsRingsOnce) {
  const std::string bytes = BytesField(1, NodeText("a", "Merge", {"b"})) + BytesField(1, NodeText("b", "f", {"a"})) +
                            Library("f", NodeText("n", "f"));
  EXPECT_EQ(OpsBehind(Read(bytes), {"a"}), (std::set<std::string_view>{"Merge", "f"}));
}

TEST(TfGraphTest, FunctionsNamedWithinAttributesCount) {
  // f(g): the function g is an attribute of the call of f.
  const std::string inner = BytesField(1, "body") + BytesField(2, BytesField(10, BytesField(1, "g")));
  const std::string value = BytesField(10, BytesField(1, "f") + BytesField(2, inner));
  const std::string call = NodeText("y", "PartitionedCall") + BytesField(5, BytesField(1, "f") + BytesField(2, value));
  const std::string bytes = BytesField(1, call) + Library("g", NodeText("m", "Tanh"));
  EXPECT_TRUE(OpsBehind(Read(bytes), {"y"}).contains("Tanh"));
}

}  // namespace
}  // namespace redoubt::backends::tf
