// SavedModels written field by field; those with variables are saved by TensorFlow itself.
#include "backends/tf/saved_model.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <stdexcept>

#include "backends/tf/archive.h"
#include "backends/tf/model.h"
#include "backends/tf/tar_for_test.h"

namespace redoubt::backends::tf {
namespace {

constexpr int kFloat = 1;
constexpr int kString = 7;

Bytes BytesOf(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

std::string Attribute(const std::string& name, const std::string& value) {
  return BytesField(5, BytesField(1, name) + BytesField(2, value));
}
std::string Type(const std::string& name, int type) {
  return Attribute(name, VarintField(6, static_cast<uint64_t>(type)));
}
std::string Types(const std::string& name, int type) {
  return Attribute(name, BytesField(1, VarintField(6, static_cast<uint64_t>(type))));
}
std::string Call(const std::string& function) {
  return Attribute("f", BytesField(10, BytesField(1, function))) + Types("Tin", kString) +
         Attribute("Tout", BytesField(1, ""));
}

std::string NodeText(const std::string& name, const std::string& op, const std::vector<std::string>& inputs = {},
                     const std::string& attributes = "") {
  std::string node = BytesField(1, name) + BytesField(2, op);
  for (const std::string& input : inputs) node += BytesField(3, input);
  return node + attributes;
}
std::string Node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs = {},
                 const std::string& attributes = "") {
  return BytesField(1, NodeText(name, op, inputs, attributes));
}
std::string Placeholder(const std::string& name, int type) {
  return Node(name, "Placeholder", {}, Type("dtype", type));
}
std::string Strings(const std::string& name, const std::string& value) {
  const std::string tensor =
      VarintField(1, kString) + BytesField(2, BytesField(2, VarintField(1, 1))) + BytesField(8, value);
  return Node(name, "Const", {}, Type("dtype", kString) + Attribute("value", BytesField(8, tensor)));
}
// A function with one argument, "path".
std::string Function(const std::string& name, const std::vector<std::string>& nodes) {
  const std::string argument = BytesField(2, BytesField(1, "path") + VarintField(3, kString));
  std::string function = BytesField(1, BytesField(1, name) + argument);
  for (const std::string& node : nodes) function += BytesField(3, node);
  return BytesField(2, BytesField(1, function));
}

std::string Io(int field, const std::string& key, const std::string& tensor) {
  return BytesField(field, BytesField(1, key) + BytesField(2, BytesField(1, tensor) + VarintField(2, kFloat)));
}
std::string Signature(const std::string& name, const std::string& rows) {
  return BytesField(5, BytesField(1, name) + BytesField(2, rows));
}
std::string Saver(const std::string& restore_op) {
  return BytesField(3, BytesField(1, "file:0") + BytesField(2, "save:0") + BytesField(3, restore_op));
}
std::string Asset(const std::string& tensor, const std::string& filename) {
  return BytesField(6, BytesField(1, BytesField(1, tensor)) + BytesField(2, filename));
}
std::string Pb(const std::string& nodes, const std::string& rest, const std::string& tag = "serve") {
  const std::string graph = nodes + BytesField(4, VarintField(1, 1000));
  return VarintField(1, 1) + BytesField(2, BytesField(1, BytesField(4, tag)) + BytesField(2, graph) + rest);
}

// Why the model is refused for the outputs; empty when it is not.
std::string Refusal(const std::string& pb, const std::vector<std::string_view>& outputs = {"y"}) {
  try {
    CheckSavedModel(ReadSavedModel(BytesOf(pb)), outputs);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TEST(TfSavedModelTest, ReadsTheSignature) {
  const std::string rows = Io(1, "b", "x2:0") + Io(1, "a", "x1:0") + Io(2, "out", "y:0");
  const std::string pb =
      Pb(Node("y", "Add"), Signature("other", Io(1, "z", "z:0")) + Signature("serving_default", rows));
  const SavedModel model = ReadSavedModel(BytesOf(pb));
  ASSERT_EQ(model.inputs.size(), 2U);
  EXPECT_EQ(model.inputs[0].key, "a");
  EXPECT_EQ(model.inputs[1].tensor, "x2:0");
  EXPECT_EQ(model.outputs[0].key, "out");
  const std::string only = Pb("", Signature("__saved_model_init_op", "") + Signature("mine", rows));
  EXPECT_EQ(ReadSavedModel(BytesOf(only)).inputs.size(), 2U);
}

TEST(TfSavedModelTest, WantsOneGraphTaggedServe) {
  EXPECT_NE(Refusal(Pb("", "", "train")).find("tagged 'serve'"), std::string::npos);
  EXPECT_NE(Refusal(Pb("", "") + Pb("", "")).find("two graphs"), std::string::npos);
  EXPECT_NE(Refusal("garbage").find("damaged"), std::string::npos);
}

TEST(TfSavedModelTest, OtherOpsThatReachOutsideAreRefusedAnywhere) {
  EXPECT_NE(Refusal(Pb(Node("z", "ReadFile"), "")).find("ReadFile"), std::string::npos);
  EXPECT_NE(Refusal(Pb(Function("f", {NodeText("z", "PyFunc")}), "")).find("PyFunc"), std::string::npos);
}

TEST(TfSavedModelTest, SavingMayLieAboutButNotRun) {
  const std::string nodes = Placeholder("file", kString) + Node("save", "SaveV2", {"file"});
  EXPECT_EQ(Refusal(Pb(nodes + Node("y", "Add"), Saver("restore"))), "");
  EXPECT_NE(Refusal(Pb(nodes + Node("y", "Identity", {"save"}), "")).find("for its outputs"), std::string::npos);
  EXPECT_NE(Refusal(Pb(nodes + Node("y", "Add", {"^save"}), "")).find("for its outputs"), std::string::npos);
  EXPECT_NE(Refusal(Pb(nodes + Node("restore", "NoOp", {"^save"}), Saver("restore"))).find("saves files"),
            std::string::npos);
  const std::string init = Signature("__saved_model_init_op", Io(2, "__saved_model_init_op", "init"));
  EXPECT_NE(Refusal(Pb(nodes + Node("init", "NoOp", {"^save"}), init)).find("saves files"), std::string::npos);
}

TEST(TfSavedModelTest, VariablesAreRestoredFromTheLoadersFileOnly) {
  const std::string file = Placeholder("file", kString) + Strings("other", "/elsewhere/variables");
  const auto restores = [&](const std::string& from) {
    return Pb(file + Node("r", "RestoreV2", {from, "names", "slices"}) + Node("restore", "NoOp", {"^r"}),
              Saver("restore"));
  };
  EXPECT_EQ(Refusal(restores("file")), "");
  EXPECT_EQ(Refusal(restores("file:0")), "");
  EXPECT_NE(Refusal(restores("other")).find("not its own"), std::string::npos);
  EXPECT_NE(Refusal(restores("file:1")).find("not its own"), std::string::npos);
  EXPECT_NE(Refusal(restores("file"), {"r"}).find("for its outputs"), std::string::npos);
}

TEST(TfSavedModelTest, TheFileIsFollowedThroughFunctions) {
  const std::string file = Placeholder("file", kString) + Strings("other", "/elsewhere/variables");
  const std::string inner = Function("inner", {NodeText("r", "RestoreV2", {"path", "names", "slices"})});
  const std::string outer = Function(
      "outer", {NodeText("i", "Identity", {"path"}), NodeText("c", "PartitionedCall", {"i:output:0"}, Call("inner"))});
  const auto restores = [&](const std::string& from, const std::string& op = "StatefulPartitionedCall") {
    return Pb(file + Node("restore", op, {from}, Call("outer")) + inner + outer, Saver("restore"));
  };
  EXPECT_EQ(Refusal(restores("file")), "");
  EXPECT_NE(Refusal(restores("other")).find("not its own"), std::string::npos);
  EXPECT_NE(Refusal(restores("file", "While")).find("not its own"), std::string::npos);  // arguments may change there
}

TEST(TfSavedModelTest, TablesAreFilledFromAssetsOnly) {
  const std::string init = Signature("__saved_model_init_op", Io(2, "__saved_model_init_op", "init"));
  const auto fills = [&](const std::string& from, const std::string& more = "") {
    return Pb(Placeholder("asset", kString) + Strings("other", "/etc/passwd") +
                  Node("v", "VarHandleOp", {}, Type("dtype", kString)) +
                  Node("assign", "AssignVariableOp", {"v", "asset"}, Type("dtype", kString)) +
                  Node("read", "ReadVariableOp", {"v", "^assign"}, Type("dtype", kString)) + more +
                  Node("init", "InitializeTableFromTextFileV2", {"table", from}),
              init + Asset("asset:0", "vocab.txt"));
  };
  EXPECT_EQ(Refusal(fills("asset")), "");
  EXPECT_EQ(Refusal(fills("read")), "");
  EXPECT_NE(Refusal(fills("other")).find("not its own"), std::string::npos);
  const std::string second = Node("again", "AssignVariableOp", {"v", "other"}, Type("dtype", kString));
  EXPECT_NE(Refusal(fills("read", second)).find("not its own"), std::string::npos);
  const std::string hidden = Function("f", {NodeText("a", "AssignVariableOp", {"h", "path"}, Type("dtype", kString))});
  EXPECT_NE(Refusal(fills("read", hidden)).find("not its own"), std::string::npos);
}

TEST(TfSavedModelTest, AssetsLieInTheirFolder) {
  for (const char* name : {"../vocab.txt", "/etc/passwd", "a/../../b", ""}) {
    EXPECT_NE(Refusal(Pb("", Asset("asset:0", name))).find("asset outside"), std::string::npos) << name;
  }
  EXPECT_EQ(Refusal(Pb("", Asset("asset:0", "words/vocab..txt"))), "");
}

// ---- loaded by TensorFlow ----

class TfSavedModelLoadTest : public ::testing::Test {
 protected:
  static Runtime& TheRuntime() {
    static const redoubt_host host{};
    static auto* runtime = new Runtime(&host);
    return *runtime;
  }

  // The error; empty when it was loaded.
  std::string Load(const std::string& archive, std::vector<const char*> inputs = {},
                   std::vector<const char*> outputs = {}) {
    redoubt_model_source source{};
    source.blob = archive.data();
    source.blob_size = archive.size();
    source.device = "CPU";
    source.inputs = inputs.data();
    source.input_count = inputs.size();
    source.outputs = outputs.data();
    source.output_count = outputs.size();
    redoubt_error error{};
    const int32_t code =
        Guarded(&error, REDOUBT_INVALID_MODEL, [&] { return Model::Load(source, TheRuntime(), &model_, &error); });
    return code == REDOUBT_OK ? "" : error.message;
  }

  // y = x * w for one float each.
  float Run(float x) {
    redoubt_view view{};
    view.data = &x;
    view.byte_size = sizeof x;
    view.dtype = REDOUBT_FLOAT32;
    redoubt_output output{};
    model_->Run(0, &view, &output);
    float y = 0;
    std::memcpy(&y, output.view.data, sizeof y);
    output.release(output.owner);
    return y;
  }

  // The files of a checkpoint with the scalar "w", as TensorFlow writes them.
  std::string Variables(float w) {
    const PrivateFolder folder;
    const std::string prefix = folder.path() / "variables";
    std::string raw(sizeof w, '\0');
    std::memcpy(raw.data(), &w, sizeof w);
    const std::string value =
        Attribute("value", BytesField(8, VarintField(1, kFloat) + BytesField(2, "") + BytesField(4, raw)));
    const std::string path =
        Attribute("value", BytesField(8, VarintField(1, kString) + BytesField(2, "") + BytesField(8, prefix)));
    const std::string graph = Node("w", "Const", {}, Type("dtype", kFloat) + value) +
                              Node("path", "Const", {}, Type("dtype", kString) + path) + Strings("names", "w") +
                              Strings("slices", "") +
                              Node("save", "SaveV2", {"path", "names", "slices", "w"}, Types("dtypes", kFloat));
    Compute(graph, "save");
    std::string archive;
    for (const char* suffix : {".index", ".data-00000-of-00001"}) {
      std::ifstream file(prefix + suffix, std::ios::binary);
      archive += tar::File(std::string("./variables/variables") + suffix, {std::istreambuf_iterator<char>(file), {}});
    }
    return archive;
  }

  std::unique_ptr<Model> model_;

 private:
  static void Compute(const std::string& nodes, const char* operation) {
    Status status;
    const std::unique_ptr<TF_Graph, decltype(&TF_DeleteGraph)> graph(TF_NewGraph(), &TF_DeleteGraph);
    auto* options = TF_NewImportGraphDefOptions();
    const TF_Buffer bytes{nodes.data(), nodes.size(), nullptr};
    TF_GraphImportGraphDef(graph.get(), &bytes, options, status.get());
    TF_DeleteImportGraphDefOptions(options);
    status.Check();
    TF_Session* session = TF_NewSession(graph.get(), TheRuntime().SessionOptions().get(), status.get());
    status.Check();
    const TF_Operation* target = TF_GraphOperationByName(graph.get(), operation);
    TF_SessionRun(session, nullptr, nullptr, nullptr, 0, nullptr, nullptr, 0, &target, 1, nullptr, status.get());
    status.Check();
    TF_DeleteSession(session, status.get());
  }
};

std::string WithVariable() {
  const std::string f = Type("dtype", kFloat);
  const std::string nodes =
      Placeholder("x", kFloat) + Node("w", "VarHandleOp", {}, f + Attribute("shape", BytesField(7, ""))) +
      Node("r", "ReadVariableOp", {"w"}, f) + Node("y", "Mul", {"x", "r"}, Type("T", kFloat)) +
      Placeholder("file", kString) + Strings("names", "w") + Strings("slices", "") +
      Node("restored", "RestoreV2", {"file", "names", "slices"}, Types("dtypes", kFloat)) +
      Node("assign", "AssignVariableOp", {"w", "restored"}, f) + Node("restore", "NoOp", {"^assign"}) +
      Node("save", "SaveV2", {"file", "names", "slices", "r"}, Types("dtypes", kFloat));
  const std::string rows = Io(1, "in", "x:0") + Io(2, "out", "y:0");
  return Pb(nodes, Saver("restore") + Signature("serving_default", rows));
}

TEST_F(TfSavedModelLoadTest, RestoresItsVariablesAndLeavesNothingBehind) {
  const auto count = [] {
    size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::temp_directory_path())) {
      n += entry.path().filename().string().starts_with("redoubt-tf-") ? 1 : 0;
    }
    return n;
  };
  const std::string archive = tar::File("./saved_model.pb", WithVariable()) + Variables(2.5F) + tar::End();
  const size_t before = count();
  ASSERT_EQ(Load(tar::Gzip(archive)), "");
  EXPECT_EQ(count(), before);
  EXPECT_STREQ(model_->inputs()[0].name, "in");
  EXPECT_STREQ(model_->outputs()[0].name, "out");
  EXPECT_EQ(Run(2), 5);
  EXPECT_EQ(Run(3), 7.5F);
}

TEST_F(TfSavedModelLoadTest, NamesMayBeKeysOrTensors) {
  const std::string archive = tar::File("model/saved_model.pb", WithVariable()) + tar::End();
  EXPECT_EQ(Load(archive, {"in"}, {"y:0"}), "");
  EXPECT_STREQ(model_->outputs()[0].name, "y:0");
  EXPECT_EQ(Load(archive, {"nope"}, {"out"}), "ERR Input node named \"nope\" not found in TF graph.");
  EXPECT_EQ(Load(archive, {"in"}, {"nope"}), "ERR Output node named \"nope\" not found in TF graph");
  EXPECT_NE(Load(archive, {"in"}, {"restored"}).find("for its outputs"), std::string::npos);
  EXPECT_NE(Load(archive, {"in"}, {"save"}).find("for its outputs"), std::string::npos);
}

TEST_F(TfSavedModelLoadTest, ArchivesOfOtherThingsAreTold) {
  EXPECT_NE(Load(tar::File("graph.pb", "x") + tar::End()).find("holds no saved_model.pb"), std::string::npos);
  EXPECT_NE(Load(tar::File("saved_model.pb", "x") + tar::End()).find("damaged"), std::string::npos);
  const std::string both = tar::File("saved_model.pb", WithVariable()) + tar::File("saved_model.pbtxt", "x");
  EXPECT_NE(Load(both).find("saved_model.pbtxt"), std::string::npos);
  EXPECT_NE(Load(tar::File("saved_model.pb", Pb(Node("y", "NoOp"), "")) + tar::End()).find("no signature"),
            std::string::npos);
  EXPECT_NE(Load(tar::File("saved_model.pb", WithVariable()) + tar::File("variables/variables.index", "x")), "");
}

}  // namespace
}  // namespace redoubt::backends::tf
