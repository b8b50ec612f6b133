#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "backends/torch/table_for_test.h"

namespace redoubt::backends::torch {
namespace {

using Floats = std::vector<float>;

TEST(TorchBackendTest, SaysWhatItIs) {
  EXPECT_STREQ(Table().name, "TORCH");
  EXPECT_STREQ(Table().version, "2.7.1");
  EXPECT_EQ(Table().run_cancel, nullptr);
}

TEST(TorchBackendTest, NamesInputsByArgumentAndOutputsNot) {
  const ModelPtr model = LoadModel("sum_and_product");
  const redoubt_backend_v1& table = Table();
  ASSERT_EQ(table.input_count(model.get()), 2u);
  EXPECT_STREQ(table.input(model.get(), 0)->name, "a");
  EXPECT_STREQ(table.input(model.get(), 1)->name, "b");
  ASSERT_EQ(table.output_count(model.get()), 2u);
  EXPECT_STREQ(table.output(model.get(), 1)->name, "");
}

TEST(TorchBackendTest, RunsAModel) {
  const TestRun run =
      RunOnce(LoadModel("sum_and_product"), {TestTensor::Floats({2}, {1, 2}), TestTensor::Floats({2}, {3, 4})});
  ASSERT_EQ(run.error, "");
  EXPECT_EQ(run.outputs[0].floats(), (Floats{4, 6}));
  EXPECT_EQ(run.outputs[1].floats(), (Floats{3, 8}));
  EXPECT_EQ(run.outputs[1].shape, (std::vector<int64_t>{2}));
}

TEST(TorchBackendTest, TakesEveryElementTypeThatLibtorchHas) {
  const ModelPtr model = LoadModel("identity");
  for (redoubt_dtype dtype = REDOUBT_FLOAT32; dtype <= REDOUBT_BOOL; ++dtype) {
    constexpr int64_t kSizes[] = {4, 8, 2, 2, 1, 2, 4, 8, 1, 2, 4, 8, 1};
    TestTensor input{dtype, {3}, std::vector<char>(static_cast<size_t>(3 * kSizes[dtype]), 1)};
    const TestRun run = RunOnce(model, {input});
    ASSERT_EQ(run.error, "") << dtype;
    EXPECT_EQ(run.outputs[0].dtype, dtype);
    EXPECT_EQ(run.outputs[0].bytes, input.bytes);
  }
  const TestRun strings = RunOnce(model, {TestTensor{REDOUBT_STRING, {1}, {'a', 0}}});
  EXPECT_EQ(strings.code, REDOUBT_RUN_FAILED);
  EXPECT_NE(strings.error.find("no tensors of strings"), std::string::npos);
}

TEST(TorchBackendTest, TakesTensorsWithoutDimensionsOrElements) {
  const ModelPtr model = LoadModel("double");
  EXPECT_EQ(RunOnce(model, {TestTensor::Floats({}, {2})}).outputs.at(0).floats(), Floats{4});
  const TestRun empty = RunOnce(model, {TestTensor::Floats({0, 3}, {})});
  EXPECT_EQ(empty.outputs.at(0).shape, (std::vector<int64_t>{0, 3}));
}

TEST(TorchBackendTest, ResultsDoNotShareMemoryWithInputs) {
  for (const char* name : {"identity", "part"}) {
    const ModelPtr model = LoadModel(name);
    const TestTensor input = TestTensor::Floats({2, 2}, {1, 2, 3, 4});
    redoubt_view view = input.view();
    std::vector<redoubt_output> outputs(2);
    redoubt_error error{};
    redoubt_run* run = Table().run_create(&error);
    ASSERT_EQ(Table().run(model.get(), run, &view, outputs.data(), &error), REDOUBT_OK) << error.message;
    const uint64_t count = Table().output_count(model.get());
    for (uint64_t i = 0; i < count; ++i) {
      const char* data = static_cast<const char*>(outputs[i].view.data);
      EXPECT_TRUE(data + outputs[i].view.byte_size <= input.bytes.data() ||
                  data >= input.bytes.data() + input.bytes.size())
          << name;
    }
    TakeOutputs(outputs.data(), count);
  }
}

TEST(TorchBackendTest, ResultsArePackedWhateverTheirStrides) {
  const TestRun run = RunOnce(LoadModel("part"), {TestTensor::Floats({2, 2}, {1, 2, 3, 4})});
  ASSERT_EQ(run.error, "");
  EXPECT_EQ(run.outputs[0].floats(), (Floats{1, 2}));
  EXPECT_EQ(run.outputs[1].floats(), (Floats{1, 3, 2, 4}));
}

TEST(TorchBackendTest, AModelThatWritesToItsInputWritesToACopy) {
  const TestTensor input = TestTensor::Floats({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(RunOnce(LoadModel("in_place"), {input}).outputs.at(0).floats(), (Floats{2, 3, 4, 5}));
  EXPECT_EQ(RunOnce(LoadModel("in_place_part"), {input}).outputs.at(0).floats(), Floats{16});
  EXPECT_EQ(input.floats(), (Floats{1, 2, 3, 4}));
}

TEST(TorchBackendTest, AModelMayKeepItsInput) {
  const ModelPtr model = LoadModel("keeps");
  {
    std::optional<TestTensor> input = TestTensor::Floats({2}, {7, 8});
    EXPECT_EQ(RunOnce(model, {*input}).outputs.at(0).floats(), (Floats{0, 0}));
  }  // its memory is gone
  EXPECT_EQ(RunOnce(model, {TestTensor::Floats({2}, {9, 9})}).outputs.at(0).floats(), (Floats{7, 8}));
}

TEST(TorchBackendTest, AResultDoesNotChangeWithTheModel) {
  const ModelPtr model = LoadModel("weight");
  const TestTensor input = TestTensor::Floats({1}, {0});
  redoubt_view view = input.view();
  redoubt_output first{};
  redoubt_error error{};
  redoubt_run* run = Table().run_create(&error);
  ASSERT_EQ(Table().run(model.get(), run, &view, &first, &error), REDOUBT_OK) << error.message;
  EXPECT_EQ(RunOnce(model, {input}).outputs.at(0).floats()[0], 2.5f);
  EXPECT_EQ(TakeOutputs(&first, 1)[0].floats()[0], 1.5f);
}

TEST(TorchBackendTest, ListsDictsAndTuplesBecomeTensorsInOrder) {
  const TestTensor input = TestTensor::Floats({2}, {1, 2});
  const TestRun list = RunOnce(LoadModel("list"), {input});
  ASSERT_EQ(list.outputs.size(), 3u) << list.error;
  EXPECT_EQ(list.outputs[2].floats(), (Floats{3, 4}));
  EXPECT_EQ(RunOnce(LoadModel("rows"), {TestTensor::Floats({5, 1}, {1, 2, 3, 4, 5})}).outputs.size(), 5u);
  const TestRun dict = RunOnce(LoadModel("dict"), {input});
  ASSERT_EQ(dict.outputs.size(), 2u) << dict.error;
  EXPECT_EQ(dict.outputs[1].floats(), Floats{3});
  const ModelPtr nested = LoadModel("nested");
  EXPECT_EQ(Table().output_count(nested.get()), 5u);
  const TestRun run = RunOnce(nested, {input});
  ASSERT_EQ(run.outputs.size(), 5u) << run.error;
  EXPECT_EQ(run.outputs[2].dtype, REDOUBT_INT64);
  EXPECT_EQ(run.outputs[3].dtype, REDOUBT_FLOAT64);
  EXPECT_EQ(run.outputs[4].dtype, REDOUBT_BOOL);
}

TEST(TorchBackendTest, WhatHasNoTensorFormIsAnError) {
  for (const char* name : {"text", "complex", "sparse"}) {
    const TestRun run = RunOnce(LoadModel(name), {TestTensor::Floats({2}, {1, 2})});
    EXPECT_NE(run.error.find("the result has no tensor form"), std::string::npos) << name << ": " << run.error;
  }
  EXPECT_EQ(RunOnce(LoadModel("nothing"), {TestTensor::Floats({2}, {1, 2})}).outputs.size(), 0u);
  const TestRun many = RunOnce(LoadModel("rows"), {TestTensor::Floats({17}, Floats(17))});
  EXPECT_NE(many.error.find("17 outputs"), std::string::npos) << many.error;
}

TEST(TorchBackendTest, ArgumentsThatAreNoTensorsNeedADefault) {
  const ModelPtr model = LoadModel("scaled");
  EXPECT_EQ(Table().input_count(model.get()), 2u);
  const TestTensor input = TestTensor::Floats({1}, {2});
  EXPECT_EQ(RunOnce(model, {input, input}).outputs.at(0).floats(), Floats{6});
  std::string error;
  EXPECT_FALSE(LoadBlob(ModelFile("needs_int"), &error));
  EXPECT_NE(error.find("argument 'n' of forward is a int"), std::string::npos) << error;
}

TEST(TorchBackendTest, FailuresCarryLibtorchsWordsWithoutItsStack) {
  const TestRun shapes =
      RunOnce(LoadModel("add"), {TestTensor::Floats({2}, {1, 2}), TestTensor::Floats({3}, {1, 2, 3})});
  EXPECT_EQ(shapes.code, REDOUBT_RUN_FAILED);
  EXPECT_NE(shapes.error.find("The size of tensor a (2) must match the size of tensor b (3)"), std::string::npos)
      << shapes.error;
  EXPECT_EQ(shapes.error.find("frame #"), std::string::npos) << shapes.error;
  const TestRun raised = RunOnce(LoadModel("positive"), {TestTensor::Floats({1}, {-1})});
  EXPECT_NE(raised.error.find("not all are positive"), std::string::npos) << raised.error;
}

TEST(TorchBackendTest, KnowsItsMemory) {
  const uint64_t before = Table().memory_total();
  {
    const ModelPtr model = LoadModel("mlp");
    EXPECT_GE(Table().memory(model.get()), 64u * 64 * 4 + 64 * 4);
    EXPECT_LT(Table().memory(model.get()), 2u * 64 * 64 * 4);
    EXPECT_EQ(Table().memory_total(), before + Table().memory(model.get()));
  }
  EXPECT_EQ(Table().memory_total(), before);
}

TEST(TorchBackendTest, RefusesAGpu) {
  std::string error;
  EXPECT_FALSE(LoadBlob(ModelFile("add"), &error, "GPU:1"));
  EXPECT_EQ(error, "ERR GPU requested but Torch couldn't find CUDA");
}

TEST(TorchBackendTest, ModelsReachNoFiles) {
  for (const char* name : {"saves", "reads", "saves_while_loading"}) {
    std::string error;
    EXPECT_FALSE(LoadBlob(ModelFile(name), &error)) << name;
    EXPECT_NE(error.find("Unknown builtin op: aten::"), std::string::npos) << name << ": " << error;
  }
  EXPECT_FALSE(std::filesystem::exists("written-by-a-model"));
}

TEST(TorchBackendTest, WhatIsNoModelIsAnError) {
  std::string error;
  EXPECT_FALSE(LoadBlob("garbage", &error));
  EXPECT_NE(error.find("zip archive"), std::string::npos) << error;
  EXPECT_FALSE(LoadBlob("", &error));
  EXPECT_FALSE(LoadBlob(ModelFile("no_forward"), &error));
  EXPECT_EQ(error, "the model has no method 'forward'");
}

TEST(TorchBackendTest, ADamagedModelIsAnErrorAndNeverACrash) {
  const std::string blob = ModelFile("mlp");
  size_t refused = 0;
  for (size_t at = 0; at<blob.size(); at += blob.size()> 2000 ? 97 : 7) {
    std::string damaged = blob;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    std::string error;
    const ModelPtr model = LoadBlob(damaged, &error);
    if (!model) ++refused;
    EXPECT_TRUE(model || !error.empty());
    EXPECT_FALSE(LoadBlob(blob.substr(0, at), &error));
  }
  EXPECT_GT(refused, 3u);  // a changed weight is a weight
}

}  // namespace
}  // namespace redoubt::backends::torch
