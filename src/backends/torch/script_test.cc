#include <gtest/gtest.h>

#include <deque>
#include <string_view>

#include "backends/torch/table_for_test.h"

namespace redoubt::backends::torch {
namespace {

using Floats = std::vector<float>;

constexpr const char* kSource = R"(
def bar(a, b):
    return a + b

def bar_variadic(a, args: List[Tensor]):
    return args[0] + args[1] * a

def entry(tensors: List[Tensor], keys: List[str], args: List[str]):
    return tensors[0] * float(args[0]), torch.tensor(len(keys))

def nothing(tensors: List[Tensor], keys: List[str], args: List[str]):
    redis.execute("SET", keys[0], 7, 1.5, True, args)

def number(value: Any):
    return torch.tensor(int(str(value)))

def read(tensors: List[Tensor], keys: List[str], args: List[str]):
    values = redis.asList(redis.execute("LRANGE", keys[0], 0, -1))
    return [number(v) for v in values]

def no_list(tensors: List[Tensor], keys: List[str], args: List[str]):
    return [number(v) for v in redis.asList(redis.execute("GET", keys[0]))]

def fails(tensors: List[Tensor], keys: List[str], args: List[str]):
    redis.execute("FAIL")

def model(tensors: List[Tensor], keys: List[str], args: List[str]):
    return redisAI.model_execute(keys[0], [tensors[0].t(), tensors[0]], 2)[1]

def words(a, b: str):
    return a
)";

// Plays the server: remembers the words, answers as the first of them asks.
class FakeServer {
 public:
  FakeServer() {
    host_.user = this;
    host_.execute = [](void* user, const redoubt_text* words, uint64_t count, const redoubt_reply** reply,
                       redoubt_error* error) {
      return static_cast<FakeServer*>(user)->Execute(words, count, reply, error);
    };
    host_.release_reply = [](void* user, const redoubt_reply*) { ++static_cast<FakeServer*>(user)->released; };
    host_.run_model = [](void* user, redoubt_text key, const redoubt_view* inputs, uint64_t count,
                         redoubt_output* outputs, uint64_t output_count, redoubt_error*) {
      return static_cast<FakeServer*>(user)->RunModel({key.data, key.size}, inputs, count, outputs, output_count);
    };
  }
  const redoubt_script_host* host() const { return &host_; }

  std::vector<std::string> words;
  std::string model_key;
  std::vector<int64_t> input_shape;
  int released = 0;
  int outputs_released = 0;

 private:
  int32_t Execute(const redoubt_text* texts, uint64_t count, const redoubt_reply** reply, redoubt_error* error) {
    words.clear();
    for (uint64_t i = 0; i < count; ++i) words.emplace_back(texts[i].data, texts[i].size);
    if (words[0] == "FAIL") {
      std::snprintf(error->message, sizeof error->message, "Redis command returned an error: ERR no");
      return REDOUBT_RUN_FAILED;
    }
    elements_[0] = {REDOUBT_REPLY_TEXT, {"12", 2}, 0, 0, nullptr, 0};
    elements_[1] = {REDOUBT_REPLY_INTEGER, {}, 34, 0, nullptr, 0};
    list_ = {REDOUBT_REPLY_LIST, {}, 0, 0, elements_, 2};
    *reply = words[0] == "LRANGE" ? &list_ : &elements_[0];
    return REDOUBT_OK;
  }

  int32_t RunModel(std::string_view key, const redoubt_view* inputs, uint64_t count, redoubt_output* outputs,
                   uint64_t output_count) {
    model_key = key;
    input_shape.assign(inputs[0].shape, inputs[0].shape + inputs[0].ndim);
    for (uint64_t i = 0; i < output_count; ++i) {
      const redoubt_view& input = inputs[i % count];
      TestTensor& copy = results_.emplace_back();
      copy.shape.assign(input.shape, input.shape + input.ndim);
      const char* data = static_cast<const char*>(input.data);
      copy.bytes.assign(data, data + input.byte_size);
      outputs[i] = {copy.view(), this, [](void* user) { ++static_cast<FakeServer*>(user)->outputs_released; }};
    }
    return REDOUBT_OK;
  }

  redoubt_script_host host_{};
  redoubt_reply elements_[2] = {};
  redoubt_reply list_{};
  std::deque<TestTensor> results_;
};

class TorchScriptTest : public testing::Test {
 protected:
  TestRun Call(const char* function, const std::vector<TestTensor>& tensors, const std::vector<std::string>& keys = {},
               const std::vector<std::string>& args = {}, uint64_t list_begin = UINT64_MAX) {
    std::vector<redoubt_view> views;
    for (const TestTensor& tensor : tensors) views.push_back(tensor.view());
    std::vector<redoubt_text> keys_c;
    std::vector<redoubt_text> args_c;
    for (const std::string& key : keys) keys_c.push_back({key.data(), key.size()});
    for (const std::string& arg : args) args_c.push_back({arg.data(), arg.size()});
    redoubt_script_call call{};
    call.function = function;
    call.tensors = views.data();
    call.tensor_count = views.size();
    call.list_begin = list_begin;
    call.keys = keys_c.data();
    call.key_count = keys_c.size();
    call.args = args_c.data();
    call.arg_count = args_c.size();
    call.host = with_host_ ? server_.host() : nullptr;
    std::vector<redoubt_output> outputs(8);
    redoubt_error error{};
    uint64_t count = 0;
    TestRun result;
    result.code = Table().scripts->run(script_.get(), &call, outputs.data(), outputs.size(), &count, &error);
    if (result.code == REDOUBT_OK) result.outputs = TakeOutputs(outputs.data(), count);
    result.error = error.message;
    return result;
  }

  std::string error_;
  ScriptPtr script_ = CompileScript(kSource, &error_);
  FakeServer server_;
  bool with_host_ = true;
  const TestTensor one_ = TestTensor::Floats({2}, {1, 2});
  const TestTensor two_ = TestTensor::Floats({2}, {3, 4});
};

TEST_F(TorchScriptTest, ListsItsFunctions) {
  ASSERT_TRUE(script_) << error_;
  const redoubt_script_function* entry = nullptr;
  const redoubt_script_function* bar = nullptr;
  for (uint64_t i = 0; i < Table().scripts->function_count(script_.get()); ++i) {
    const redoubt_script_function* f = Table().scripts->function(script_.get(), i);
    if (f->name == std::string("entry")) entry = f;
    if (f->name == std::string("bar")) bar = f;
  }
  ASSERT_TRUE(entry != nullptr && bar != nullptr);
  EXPECT_EQ(entry->is_entry_point, 1);
  EXPECT_EQ(bar->is_entry_point, 0);
  EXPECT_EQ(bar->parameter_count, 2u);
  EXPECT_STREQ(bar->signature, "bar(Tensor a, Tensor b) -> Tensor");
  EXPECT_GT(Table().scripts->memory(script_.get()), 1000u);
}

TEST_F(TorchScriptTest, RunsEntryPointsAndOldFunctions) {
  const TestRun entry = Call("entry", {one_}, {"k", "l"}, {"2.5"});
  ASSERT_EQ(entry.error, "");
  EXPECT_EQ(entry.outputs.at(0).floats(), (Floats{2.5, 5}));
  EXPECT_EQ(entry.outputs.at(1).dtype, REDOUBT_INT64);
  EXPECT_EQ(entry.outputs.at(1).bytes[0], 2);
  EXPECT_EQ(Call("bar", {one_, two_}).outputs.at(0).floats(), (Floats{4, 6}));
  EXPECT_EQ(Call("bar_variadic", {one_, two_, one_}).outputs.at(0).floats(), (Floats{4, 8}));
  EXPECT_EQ(Call("bar_variadic", {one_, two_, one_}, {}, {}, 1).outputs.at(0).floats(), (Floats{4, 8}));
}

TEST_F(TorchScriptTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(Call("bar1", {}).error, "Function bar1 does not exist in the given script.");
  EXPECT_EQ(Call("bar", {one_}).error, "Wrong number of inputs in function bar. Expected 2 but was 1");
  EXPECT_EQ(Call("bar_variadic", {}).error, "Wrong number of inputs in function bar_variadic. Expected 1 but was 0");
  EXPECT_NE(Call("bar", {one_, two_}, {}, {}, 1).error.find("takes no list"), std::string::npos);
  EXPECT_NE(Call("bar_variadic", {one_, two_}, {}, {}, 2).error.find("Wrong number of inputs"), std::string::npos);
  EXPECT_NE(Call("words", {one_, two_}).error.find("Wrong inputs type in function words"), std::string::npos);
}

TEST_F(TorchScriptTest, ExecuteSendsWordsAndBringsValues) {
  EXPECT_EQ(Call("nothing", {}, {"k"}, {"x", "y"}).outputs.size(), 0u);
  EXPECT_EQ(server_.words, (std::vector<std::string>{"SET", "k", "7", "1.5", "1", "x", "y"}));
  const TestRun read = Call("read", {}, {"l"});
  ASSERT_EQ(read.error, "");
  EXPECT_EQ(read.outputs.at(0).bytes[0], 12);
  EXPECT_EQ(read.outputs.at(1).bytes[0], 34);
  EXPECT_EQ(server_.released, 2);
}

TEST_F(TorchScriptTest, ErrorsOfTheHostAreErrorsOfTheScript) {
  EXPECT_NE(Call("fails", {}).error.find("Redis command returned an error: ERR no"), std::string::npos);
  EXPECT_NE(Call("no_list", {}, {"k"}).error.find("redis.asList: the value is no list"), std::string::npos);
  with_host_ = false;
  EXPECT_NE(Call("fails", {}).error.find("redis.execute works only in a script that a client runs"), std::string::npos);
}

TEST_F(TorchScriptTest, RunsModelsOfTheHost) {
  const TestTensor wide = TestTensor::Floats({1, 2}, {5, 6});
  const TestRun run = Call("model", {wide}, {"m"});
  ASSERT_EQ(run.error, "");
  EXPECT_EQ(run.outputs.at(0).floats(), (Floats{5, 6}));
  EXPECT_EQ(server_.model_key, "m");
  EXPECT_EQ(server_.input_shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(server_.outputs_released, 2);
}

TEST_F(TorchScriptTest, RefusesWhatIsNoScript) {
  for (const char* source : {"return 1", "x = 1\n", "def f(x)\n  return x", "def f(x):\n    return foo(x)\n", "\xff"}) {
    std::string error;
    EXPECT_FALSE(CompileScript(source, &error)) << source;
    EXPECT_NE(error, "") << source;
  }
}

TEST_F(TorchScriptTest, ScriptsReachNoFiles) {
  for (const char* call : {"torch.save(x, '/tmp/x')", "torch.from_file('/etc/passwd', None, 4)"}) {
    std::string error;
    EXPECT_FALSE(CompileScript(std::string("def f(x):\n    ") + call + "\n    return x\n", &error)) << call;
    EXPECT_NE(error.find("nknown builtin op"), std::string::npos) << error;
  }
}

TEST_F(TorchScriptTest, DeepNestingDoesNotEndTheProcess) {
  for (const std::string opening : {"-", "(", "[", "not ", "x+", "x if x else "}) {
    // The compiler takes a time that grows with the square of the last.
    const size_t size = opening.size() < 6 ? 130'000 : 20'000;
    std::string source = "def f(x: int):\n    return ";
    while (source.size() < size) source += opening;
    source += "x\n";
    std::string error;
    (void)CompileScript(source, &error);
  }
  std::string blocks = "def f(x: int):\n";
  for (size_t depth = 1; blocks.size() < 130'000; ++depth) blocks += std::string(depth, ' ') + "if x > 0:\n";
  std::string error;
  EXPECT_FALSE(CompileScript(blocks, &error));
}

}  // namespace
}  // namespace redoubt::backends::torch
