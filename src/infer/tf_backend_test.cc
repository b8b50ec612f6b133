// The TF backend through the registry and its C table, on graphs of a few nodes.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "infer/backend_registry.h"
#include "infer/batch.h"
#include "infer/deadline_timer.h"
#include "infer/model.h"
#include "infer/tiny_tf_for_test.h"

namespace redoubt::infer {
namespace {

using tensor::DType;
using tensor::Tensor;

BackendRegistry& Registry() {
  // Must outlive every model, and backends are never closed.
  static auto* registry = new BackendRegistry({.directory = REDOUBT_BACKENDS_DIR});
  return *registry;
}

Tensor::Ptr Blob(DType dtype, std::vector<int64_t> shape, std::span<const std::byte> bytes) {
  auto tensor = Tensor::FromBlob(dtype, std::move(shape), bytes, base::DefaultMemory());
  EXPECT_TRUE(tensor.ok()) << tensor.status().message();
  return *tensor;
}

Tensor::Ptr Floats(std::vector<int64_t> shape, const std::vector<float>& values) {
  return Blob(DType::kFloat32, std::move(shape), std::as_bytes(std::span(values)));
}

Tensor::Ptr Strings(std::vector<int64_t> shape, std::vector<std::string_view> values) {
  auto tensor = Tensor::FromStrings(std::move(shape), values, base::DefaultMemory());
  EXPECT_TRUE(tensor.ok()) << tensor.status().message();
  return *tensor;
}

std::vector<float> Values(const Tensor& tensor) {
  const auto span = tensor.As<float>();
  return {span.begin(), span.end()};
}

base::Result<std::shared_ptr<Model>> Build(const std::string& blob, std::vector<std::string> inputs,
                                           std::vector<std::string> outputs, const std::string& device = "CPU") {
  ModelSpec spec;
  spec.backend = "TF";
  spec.device = device;
  spec.blob = std::as_bytes(std::span(blob.data(), blob.size()));
  spec.inputs = std::move(inputs);
  spec.outputs = std::move(outputs);
  return Model::Build(Registry(), spec);
}

std::shared_ptr<Model> Built(const std::string& blob, std::vector<std::string> inputs,
                             std::vector<std::string> outputs) {
  auto model = Build(blob, std::move(inputs), std::move(outputs));
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? *model : nullptr;
}

Tensors RunOf(const Model& model, const Tensors& inputs) {
  auto outputs = model.Run(inputs);
  EXPECT_TRUE(outputs.ok()) << outputs.status().message();
  return outputs.ok() ? *outputs : Tensors{};
}

TEST(TfBackendTest, RunsAFrozenGraph) {
  const auto model = Built(tiny_tf::Multiplier(), {"a", "b"}, {"mul"});
  const Tensors outputs = RunOf(*model, {Floats({2, 2}, {1, 2, 3, 4}), Floats({2, 2}, {5, 6, 7, 8})});
  EXPECT_EQ(outputs[0]->shape(), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(Values(*outputs[0]), (std::vector<float>{5, 12, 21, 32}));
}

TEST(TfBackendTest, KnowsTypesAndShapes) {
  const auto model = Built(tiny_tf::Multiplier(), {"a:0", "b"}, {"mul:0"});
  EXPECT_EQ(model->inputs()[0].name, "a:0");
  EXPECT_EQ(model->inputs()[0].dtype, DType::kFloat32);
  EXPECT_EQ(model->inputs()[0].shape, (std::vector<int64_t>{-1, 2}));
  EXPECT_EQ(model->outputs()[0].name, "mul:0");
  EXPECT_EQ(model->outputs()[0].shape, (std::vector<int64_t>{-1, 2}));
  EXPECT_EQ(model->outputs()[0].type_text, "tensor(float)");
  EXPECT_GE(model->memory_bytes(), tiny_tf::Multiplier().size());
}

TEST(TfBackendTest, NamesThatAreNotThereAreToldInRedisAisWords) {
  EXPECT_EQ(Build(tiny_tf::Multiplier(), {"a", "x"}, {"mul"}).status().message(),
            "ERR Input node named \"x\" not found in TF graph.");
  EXPECT_EQ(Build(tiny_tf::Multiplier(), {"a", "b"}, {"y"}).status().message(),
            "ERR Output node named \"y\" not found in TF graph");
  for (const char* bad : {"mul:1", "mul:", "mul:x", "mul:-1", "^mul", ":0", "", "mul:99999999999999999999"}) {
    EXPECT_FALSE(Build(tiny_tf::Multiplier(), {"a", "b"}, {bad}).ok()) << bad;
  }
}

TEST(TfBackendTest, OtherDevicesAreRefused) {
  EXPECT_EQ(Build(tiny_tf::Multiplier(), {"a", "b"}, {"mul"}, "GPU:0").status().message(),
            "ERR GPU requested but TF couldn't find CUDA");
  EXPECT_TRUE(Build(tiny_tf::Multiplier(), {"a", "b"}, {"mul"}, "CPU:1").ok());
}

TEST(TfBackendTest, DamagedGraphsAreErrors) {
  const std::string good = tiny_tf::Multiplier();
  EXPECT_EQ(Build("garbage", {"a"}, {"b"}).status().message(), "Invalid GraphDef");
  EXPECT_EQ(Build("", {"a"}, {"b"}).status().message(), "the model has no bytes");
  for (size_t cut = 0; cut + 8 < good.size(); cut += 3) {
    EXPECT_FALSE(Build(good.substr(0, cut), {"a", "b"}, {"mul"}).ok()) << cut;
  }
  for (size_t at = 0; at < good.size(); ++at) {
    std::string flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ 0xff);
    (void)Build(flipped, {"a", "b"}, {"mul"});  // an error or a model, and the process lives
  }
}

TEST(TfBackendTest, InputsThatDoNotFitAreTold) {
  const auto model = Built(tiny_tf::Multiplier(), {"a", "b"}, {"mul"});
  auto wide = model->Run(Tensors{Floats({1, 3}, {1, 2, 3}), Floats({1, 2}, {1, 2})});
  EXPECT_EQ(wide.status().message(),
            "Input tensor shape doesn't match the shape expected by the model definition: 'a' is [?, 2], got [1, 3]");
  const int32_t ints[] = {1, 2};
  auto typed = model->Run(Tensors{Blob(DType::kInt32, {1, 2}, std::as_bytes(std::span(ints))), Floats({1, 2}, {1, 2})});
  EXPECT_EQ(typed.status().code(), base::StatusCode::kInvalidArgument);
  EXPECT_EQ(typed.status().message(),
            "Input tensor type doesn't match the type expected by the model definition: 'a' is tensor(float), got "
            "tensor(int32)");
}

TEST(TfBackendTest, EveryElementTypeGoesThrough) {
  const std::pair<DType, int> types[] = {
      {DType::kFloat32, 1},  {DType::kFloat64, 2}, {DType::kInt32, 3},  {DType::kUInt8, 4},     {DType::kInt16, 5},
      {DType::kInt8, 6},     {DType::kInt64, 9},   {DType::kBool, 10},  {DType::kBFloat16, 14}, {DType::kUInt16, 17},
      {DType::kFloat16, 19}, {DType::kUInt32, 22}, {DType::kUInt64, 23}};
  for (const auto& [ours, tf] : types) {
    const auto model = Built(tiny_tf::Identity(tf), {"x"}, {"y"});
    auto input = Tensor::Create(ours, {3, 5}, base::DefaultMemory());
    ASSERT_TRUE(input.ok());
    for (size_t i = 0; i < (*input)->byte_size(); ++i) (*input)->mutable_data()[i] = static_cast<std::byte>(i % 2);
    const Tensors outputs = RunOf(*model, {*input});
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(outputs[0]->dtype(), ours);
    EXPECT_EQ(std::memcmp(outputs[0]->data().data(), (*input)->data().data(), (*input)->byte_size()), 0) << tf;
  }
}

TEST(TfBackendTest, StringsGoThroughWhateverTheirLength) {
  const auto model = Built(tiny_tf::Identity(tiny_tf::kString), {"x"}, {"y"});
  const std::string lengthy(5000, 'z');
  const Tensors outputs = RunOf(*model, {Strings({2, 2}, {"a", "", "\xed\x95\x9c\xea\xb8\x80", lengthy})});
  EXPECT_EQ(outputs[0]->shape(), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(outputs[0]->StringAt(0), "a");
  EXPECT_EQ(outputs[0]->StringAt(1), "");
  EXPECT_EQ(outputs[0]->StringAt(2), "\xed\x95\x9c\xea\xb8\x80");
  EXPECT_EQ(outputs[0]->StringAt(3), lengthy);
}

TEST(TfBackendTest, AStringResultWithANulIsAnError) {
  const auto model = Built(tiny_tf::Graph(tiny_tf::StringConst("c", std::string("a\0b", 3))), {}, {"c"});
  EXPECT_EQ(model->Run({}).status().message(), "output 'c' has no tensor form: a string of it holds a NUL byte");
}

TEST(TfBackendTest, EmptyBatchesAndScalarsAreFine) {
  const auto model = Built(tiny_tf::Multiplier(), {"a", "b"}, {"mul"});
  const Tensors none = RunOf(*model, {Floats({0, 2}, {}), Floats({0, 2}, {})});
  EXPECT_EQ(none[0]->shape(), (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(none[0]->byte_size(), 0U);
  const auto identity = Built(tiny_tf::Identity(tiny_tf::kFloat), {"x"}, {"y"});
  const Tensors scalar = RunOf(*identity, {Floats({}, {7})});
  EXPECT_TRUE(scalar[0]->shape().empty());
  EXPECT_EQ(Values(*scalar[0]), std::vector<float>{7});
  const auto strings = Built(tiny_tf::Identity(tiny_tf::kString), {"x"}, {"y"});
  EXPECT_EQ(RunOf(*strings, {Strings({0}, {})})[0]->shape(), (std::vector<int64_t>{0}));
}

TEST(TfBackendTest, InputsAreNeverWrittenTo) {
  // Relu and Mul work in place where they may.
  const std::string t = tiny_tf::TypeAttribute("T", tiny_tf::kFloat);
  const auto model =
      Built(tiny_tf::Graph(tiny_tf::Placeholder("x", tiny_tf::kFloat, {-1}) + tiny_tf::Node("r", "Relu", {"x"}, t) +
                           tiny_tf::Node("y", "Mul", {"r", "r"}, t)),
            {"x"}, {"y"});
  const std::vector<float> values(20000, -3);
  const Tensor::Ptr input = Floats({20000}, values);
  ASSERT_EQ(reinterpret_cast<uintptr_t>(input->data().data()) % 64, 0U);
  const Tensors outputs = RunOf(*model, {input});
  EXPECT_EQ(Values(*input), values);
  EXPECT_EQ(Values(*outputs[0]), std::vector<float>(20000, 0));
}

TEST(TfBackendTest, AnInputThatIsPassedThroughIsCopied) {
  const auto model = Built(tiny_tf::Identity(tiny_tf::kFloat), {"x"}, {"y"});
  Tensor::Ptr input = Floats({5000}, std::vector<float>(5000, 2));
  const Tensors outputs = RunOf(*model, {input});
  EXPECT_NE(outputs[0]->data().data(), input->data().data());
  input.reset();
  EXPECT_EQ(Values(*outputs[0]), std::vector<float>(5000, 2));
}

TEST(TfBackendTest, LargeOutputsOutliveTheModel) {
  auto model = Built(tiny_tf::Multiplier(), {"a", "b"}, {"mul"});
  const Tensors outputs = RunOf(
      *model, {Floats({4000, 2}, std::vector<float>(8000, 1.5F)), Floats({4000, 2}, std::vector<float>(8000, 2))});
  model.reset();
  for (float f : outputs[0]->As<float>()) ASSERT_EQ(f, 3.0F);
}

// A graph that keeps what it is fed in a variable: the tensor's memory is not borrowed for longer than the run.
TEST(TfBackendTest, WhatAVariableKeepsIsACopy) {
  const std::string float_type = tiny_tf::TypeAttribute("dtype", tiny_tf::kFloat);
  const std::string graph =
      tiny_tf::Graph(tiny_tf::Placeholder("x", tiny_tf::kFloat, {5000}) +
                     tiny_tf::Node("v", "VarHandleOp", {}, float_type + tiny_tf::ShapeAttribute("shape", {5000})) +
                     tiny_tf::Node("assign", "AssignVariableOp", {"v", "x"}, float_type) +
                     tiny_tf::Node("stored", "ReadVariableOp", {"v", "^assign"}, float_type) +
                     tiny_tf::Node("kept", "ReadVariableOp", {"v"}, float_type));
  const auto model = Built(graph, {"x"}, {"stored"});
  {
    const Tensor::Ptr input = Floats({5000}, std::vector<float>(5000, 4));
    EXPECT_EQ(Values(*RunOf(*model, {input})[0])[0], 4.0F);
    std::memset(const_cast<std::byte*>(input->data().data()), 0, input->byte_size());
  }
  const Tensors again = RunOf(*model, {Floats({5000}, std::vector<float>(5000, 5))});
  EXPECT_EQ(Values(*again[0])[4999], 5.0F);
}

TEST(TfBackendTest, ALimitEndsARunThatWouldNotEnd) {
  const auto model = Built(tiny_tf::Endless(), {"x"}, {"y"});
  auto handle = RunHandle::Create(model->backend());
  ASSERT_TRUE(handle.ok());
  (*handle)->Limit(100);
  const int64_t start_us = SteadyNowUs();
  auto outputs = model->Run(Tensors{Floats({}, {1})}, {handle->get()});
  EXPECT_EQ(outputs.status().code(), base::StatusCode::kCancelled);
  EXPECT_EQ(outputs.status().message(), "the run was stopped: it took longer than 100 ms");
  EXPECT_LT(SteadyNowUs() - start_us, 2'000'000);
}

TEST(TfBackendTest, ManyThreadsRunOneModel) {
  const auto model = Built(tiny_tf::Multiplier(), {"a", "b"}, {"mul"});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&model, t] {
      for (int i = 0; i < 50; ++i) {
        const float a = static_cast<float>(t * 100 + i);
        const Tensors outputs = RunOf(*model, {Floats({1, 2}, {a, 1}), Floats({1, 2}, {2, 3})});
        EXPECT_EQ(Values(*outputs[0]), (std::vector<float>{2 * a, 3}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(TfBackendTest, GraphsThatReachOutsideAreRefusedBeforeTensorFlowSeesThem) {
  const std::string file = tiny_tf::StringConst("file", "/etc/passwd");
  const std::string reads = file + tiny_tf::Node("y", "ReadFile", {"file"});
  auto model = Build(tiny_tf::Graph(reads), {}, {"y"});
  EXPECT_EQ(
      model.status().message(),
      "ERR the graph holds the operation ReadFile, which may reach outside of the model; remove it and freeze the "
      "graph again");
  const std::string call =
      tiny_tf::Placeholder("x", tiny_tf::kFloat, {}) +
      tiny_tf::Node("y", "StatefulPartitionedCall", {"x"}, tiny_tf::FunctionAttribute("f", "inner"));
  const std::string inner = tiny_tf::Function("inner", {file, tiny_tf::Node("r", "WriteFile", {"file", "file"})}, "x");
  model = Build(tiny_tf::Graph(call, inner), {"x"}, {"y"});
  EXPECT_NE(model.status().message().find("WriteFile"), std::string::npos) << model.status().message();
}

TEST(TfBackendTest, MemoryIsCountedAndGivenBack) {
  const std::string big = tiny_tf::Graph(tiny_tf::FloatConst("c", {500000}, std::vector<float>(500000, 1)));
  const uint64_t before = (*Registry().Get("TF"))->table().memory_total();
  auto model = Built(big, {}, {"c"});
  EXPECT_GE(model->memory_bytes(), 2'000'000U);
  EXPECT_EQ((*Registry().Get("TF"))->table().memory_total() - before, model->memory_bytes());
  model.reset();
  EXPECT_EQ((*Registry().Get("TF"))->table().memory_total(), before);
}

}  // namespace
}  // namespace redoubt::infer
