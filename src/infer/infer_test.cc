#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "infer/backend_registry.h"
#include "infer/batch.h"
#include "infer/deadline_timer.h"
#include "infer/device.h"
#include "infer/executor.h"
#include "infer/model.h"
#include "infer/model_loader.h"
#include "infer/tiny_onnx_for_test.h"

namespace redoubt::infer {
namespace {

using tensor::DType;
using tensor::Tensor;

Tensor::Ptr Floats(std::vector<int64_t> shape, const std::vector<float>& values) {
  auto tensor =
      Tensor::FromBlob(DType::kFloat32, std::move(shape), std::as_bytes(std::span(values)), base::DefaultMemory());
  EXPECT_TRUE(tensor.ok()) << tensor.status().message();
  return *tensor;
}

// Collects the answers of runs that other threads give.
class Answers {
 public:
  RunDone Take() {
    return [this](base::Result<Tensors> outputs, const RunTimes& times) {
      std::lock_guard lock(mu_);
      results_.push_back(std::move(outputs));
      times_.push_back(times);
      changed_.notify_all();
    };
  }
  void WaitFor(size_t count) {
    std::unique_lock lock(mu_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10), [&] { return results_.size() >= count; }))
        << results_.size() << " answers of " << count;
  }
  size_t size() {
    std::lock_guard lock(mu_);
    return results_.size();
  }
  base::Result<Tensors>& operator[](size_t i) { return results_[i]; }
  const RunTimes& times(size_t i) { return times_[i]; }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  std::vector<base::Result<Tensors>> results_;
  std::vector<RunTimes> times_;
};

BackendRegistry& Registry() {
  // Must outlive every model, and backends are never closed.
  static auto* registry = new BackendRegistry({.directory = REDOUBT_BACKENDS_DIR});
  return *registry;
}

class InferTest : public ::testing::Test {
 protected:
  ModelSpec Spec(const std::string& blob, Batching batching = {}) {
    auto owner = std::make_shared<std::string>(blob);
    ModelSpec spec;
    spec.backend = "ONNX";
    spec.blob = std::as_bytes(std::span(owner->data(), owner->size()));
    spec.blob_owner = owner;
    spec.batching = batching;
    return spec;
  }

  std::unique_ptr<Executor> MakeExecutor(int64_t max_run_ms = 5000, size_t queue_limit = 100) {
    return std::make_unique<Executor>(Executor::Options{
        .threads_per_device = 1, .queue_limit = queue_limit, .max_run_ms = max_run_ms, .nice = 0, .memory = nullptr});
  }

  RunRequest Request(std::shared_ptr<ModelSlot> slot, Tensor::Ptr input, int64_t timeout_ms = 0) {
    return {std::move(slot), {std::move(input)}, timeout_ms, answers_.Take()};
  }

  std::shared_ptr<ModelSlot> Built(const std::string& blob, Batching batching = {}) {
    auto slot = loader_.Load(Spec(blob, batching));
    while (!slot->built()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(slot->Get().ok()) << slot->Get().status().message();
    return slot;
  }

  ModelLoader loader_{Registry(), {}};
  Answers answers_;

  void TearDown() override { EXPECT_TRUE(loader_.StopWithin(5000)); }
};

TEST(DeviceTest, NormalizesNamesAndRefusesOthers) {
  EXPECT_EQ(*NormalizeDevice("cpu"), "CPU");
  EXPECT_EQ(*NormalizeDevice("gpu:12"), "GPU:12");
  EXPECT_EQ(*NormalizeDevice("cpu:001"), "CPU:1");
  EXPECT_EQ(*NormalizeDevice("CPU:00"), "CPU:0");
  for (const char* bad : {"", "CP", "TPU", "CPU:", "CPU:x", "CPU1", "CPU:123456"}) {
    EXPECT_FALSE(NormalizeDevice(bad).ok()) << bad;
  }
}

TEST_F(InferTest, RunsAModelAndKnowsItsInputsAndOutputs) {
  auto model = Model::Build(Registry(), Spec(tiny_onnx::Doubler()));
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_EQ((*model)->inputs()[0].name, "x");
  EXPECT_EQ((*model)->inputs()[0].dtype, DType::kFloat32);
  EXPECT_EQ((*model)->inputs()[0].shape, (std::vector<int64_t>{-1, 2}));
  EXPECT_EQ((*model)->outputs()[0].name, "y");
  EXPECT_EQ((*model)->outputs()[0].type_text, "tensor(float)");
  const Tensor::Ptr input = Floats({1, 2}, {3, 4});
  auto outputs = (*model)->Run({&input, 1});
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  EXPECT_EQ((*outputs)[0]->As<float>()[1], 8.0F);
}

TEST_F(InferTest, LargeOutputsOutliveTheModel) {
  auto model = Model::Build(Registry(), Spec(tiny_onnx::Doubler()));
  ASSERT_TRUE(model.ok());
  const Tensor::Ptr input = Floats({4000, 2}, std::vector<float>(8000, 1.5F));
  auto outputs = (*model)->Run({&input, 1});
  ASSERT_TRUE(outputs.ok());
  model->reset();
  for (float f : (*outputs)[0]->As<float>()) ASSERT_EQ(f, 3.0F);
}

TEST_F(InferTest, SaysWhatDoesNotFit) {
  auto model = Model::Build(Registry(), Spec(tiny_onnx::Doubler()));
  ASSERT_TRUE(model.ok());
  const Tensor::Ptr three = Floats({1, 3}, {1, 2, 3});
  auto outputs = (*model)->Run({&three, 1});
  ASSERT_FALSE(outputs.ok());
  EXPECT_NE(outputs.status().message().find("Got: 3 Expected: 2"), std::string::npos) << outputs.status().message();
  EXPECT_EQ((*model)->Run({}).status().code(), base::StatusCode::kInvalidArgument);
}

TEST_F(InferTest, DamagedModelsAreErrors) {
  const std::string good = tiny_onnx::Doubler();
  for (size_t cut = 0; cut < good.size(); cut += 7) {
    auto model = Model::Build(Registry(), Spec(good.substr(0, cut)));
    EXPECT_FALSE(model.ok()) << cut;
  }
}

TEST_F(InferTest, UnknownAndMissingBackendsAreTold) {
  ModelSpec spec = Spec("x");
  spec.backend = "TFLITE";
  EXPECT_EQ(Model::Build(Registry(), spec).status().code(), base::StatusCode::kUnavailable);
  spec.backend = "NOPE";
  EXPECT_EQ(Model::Build(Registry(), spec).status().code(), base::StatusCode::kNotFound);
}

TEST_F(InferTest, LoadsBackendsFromTheirDirectoryOnly) {
  BackendRegistry registry({.directory = REDOUBT_BACKENDS_DIR});
  EXPECT_EQ(registry.LoadFrom("ONNX", "/etc/passwd").code(), base::StatusCode::kPermissionDenied);
  EXPECT_EQ(registry.LoadFrom("ONNX", "../../bin/redoubt_infer_test").code(), base::StatusCode::kPermissionDenied);
  EXPECT_EQ(registry.LoadFrom("ONNX", "absent.so").code(), base::StatusCode::kNotFound);
  EXPECT_EQ(registry.LoadFrom("ONNX", "libonnxruntime.so.1").code(), base::StatusCode::kUnavailable);
}

TEST_F(InferTest, ExecutesOnAWorkerAndAnswersOnce) {
  auto executor = MakeExecutor();
  auto slot = Built(tiny_onnx::Doubler());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(executor->Submit("CPU", Request(slot, Floats({1, 2}, {1.0F * static_cast<float>(i), 0}))).ok());
  }
  answers_.WaitFor(50);
  EXPECT_TRUE(executor->StopWithin(2000));
  ASSERT_EQ(answers_.size(), 50U);
  for (size_t i = 0; i < 50; ++i) EXPECT_EQ((*answers_[i])[0]->As<float>()[0], 2.0F * static_cast<float>(i));
}

TEST_F(InferTest, ARunWaitsForAModelThatIsStillLoading) {
  auto executor = MakeExecutor();
  auto slot = loader_.Load(Spec(tiny_onnx::Doubler()));
  ASSERT_TRUE(executor->Submit("CPU", Request(slot, Floats({1, 2}, {1, 2}))).ok());
  answers_.WaitFor(1);
  EXPECT_TRUE(answers_[0].ok());
}

TEST_F(InferTest, ARunOfAModelThatFailedToLoadAnswersWithTheReason) {
  auto executor = MakeExecutor();
  auto slot = loader_.Load(Spec("not a model"));
  ASSERT_TRUE(executor->Submit("CPU", Request(slot, Floats({1, 2}, {1, 2}))).ok());
  answers_.WaitFor(1);
  EXPECT_EQ(answers_[0].status().code(), base::StatusCode::kInvalidArgument);
}

TEST_F(InferTest, ADeadlineAnswersInTimeAndStopsTheRun) {
  auto executor = MakeExecutor();
  auto endless = Built(tiny_onnx::Endless());
  auto doubler = Built(tiny_onnx::Doubler());
  const int64_t start_us = SteadyNowUs();
  ASSERT_TRUE(executor->Submit("CPU", Request(endless, Floats({1}, {1}), 100)).ok());
  answers_.WaitFor(1);
  EXPECT_EQ(answers_[0].status().code(), base::StatusCode::kDeadlineExceeded);
  EXPECT_GE(SteadyNowUs() - start_us, 99'000);
  EXPECT_LT(SteadyNowUs() - start_us, 1'000'000);
  // The worker is free again, so the run was stopped.
  ASSERT_TRUE(executor->Submit("CPU", Request(doubler, Floats({1, 2}, {1, 2}))).ok());
  answers_.WaitFor(2);
  EXPECT_TRUE(answers_[1].ok());
}

TEST_F(InferTest, WaitingRunsAreDroppedAtTheirDeadline) {
  auto executor = MakeExecutor();
  auto endless = Built(tiny_onnx::Endless());
  ASSERT_TRUE(executor->Submit("CPU", Request(endless, Floats({1}, {1}), 500)).ok());
  ASSERT_TRUE(executor->Submit("CPU", Request(endless, Floats({1}, {1}), 50)).ok());
  answers_.WaitFor(1);
  EXPECT_EQ(answers_[0].status().code(), base::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(executor->Stats()[0].waiting, 0U);
  EXPECT_EQ(executor->Stats()[0].running, 1U);
}

TEST_F(InferTest, ARunThatTakesTooLongIsStopped) {
  auto executor = MakeExecutor(/*max_run_ms=*/100);
  auto endless = Built(tiny_onnx::Endless());
  ASSERT_TRUE(executor->Submit("CPU", Request(endless, Floats({1}, {1}))).ok());
  answers_.WaitFor(1);
  EXPECT_NE(answers_[0].status().message().find("Exiting due to terminate flag being set to true"), std::string::npos)
      << answers_[0].status().message();
}

TEST_F(InferTest, AFullQueueRefuses) {
  auto executor = MakeExecutor(5000, /*queue_limit=*/2);
  auto endless = Built(tiny_onnx::Endless());
  base::Status last = base::OkStatus();
  size_t accepted = 0;
  for (int i = 0; i < 10 && last.ok(); ++i) {
    last = executor->Submit("CPU", Request(endless, Floats({1}, {1})));
    if (last.ok()) ++accepted;
  }
  EXPECT_EQ(last.code(), base::StatusCode::kResourceExhausted);
  EXPECT_TRUE(executor->StopWithin(2000));
  EXPECT_EQ(answers_.size(), accepted);
}

TEST_F(InferTest, StoppingEndsARunInProgress) {
  auto executor = MakeExecutor();
  auto endless = Built(tiny_onnx::Endless());
  ASSERT_TRUE(executor->Submit("CPU", Request(endless, Floats({1}, {1}))).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const int64_t start_us = SteadyNowUs();
  EXPECT_TRUE(executor->StopWithin(2000));
  EXPECT_LT(SteadyNowUs() - start_us, 1'000'000);
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(InferTest, JoinsWaitingRunsIntoABatch) {
  auto executor = MakeExecutor();
  auto slot = Built(tiny_onnx::Doubler(), {.size = 4, .min_size = 4, .min_timeout_ms = 0});
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(answers_.size(), 0U);
    ASSERT_TRUE(executor->Submit("CPU", Request(slot, Floats({1, 2}, {static_cast<float>(i), 1}))).ok());
  }
  answers_.WaitFor(4);
  for (size_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(answers_[i].ok()) << answers_[i].status().message();
    EXPECT_EQ((*answers_[i])[0]->shape(), (std::vector<int64_t>{1, 2}));
    EXPECT_EQ((*answers_[i])[0]->As<float>()[0], 2.0F * static_cast<float>(i));
    EXPECT_EQ(answers_.times(i).batch_rows, 4);
  }
  EXPECT_EQ(executor->Stats()[0].runs, 1U);
}

TEST_F(InferTest, ABatchDoesNotWaitLongerThanItsTimeout) {
  auto executor = MakeExecutor();
  auto slot = Built(tiny_onnx::Doubler(), {.size = 10, .min_size = 10, .min_timeout_ms = 50});
  const int64_t start_us = SteadyNowUs();
  ASSERT_TRUE(executor->Submit("CPU", Request(slot, Floats({1, 2}, {1, 2}))).ok());
  answers_.WaitFor(1);
  EXPECT_TRUE(answers_[0].ok());
  EXPECT_GE(SteadyNowUs() - start_us, 49'000);
}

TEST_F(InferTest, ABatchThatWaitsLetsOtherModelsPass) {
  auto executor = MakeExecutor();
  auto waits = Built(tiny_onnx::Doubler(), {.size = 10, .min_size = 10, .min_timeout_ms = 0});
  auto other = Built(tiny_onnx::Doubler());
  ASSERT_TRUE(executor->Submit("CPU", Request(waits, Floats({1, 2}, {1, 2}))).ok());
  ASSERT_TRUE(executor->Submit("CPU", Request(other, Floats({1, 2}, {5, 6}))).ok());
  answers_.WaitFor(1);
  EXPECT_EQ((*answers_[0])[0]->As<float>()[0], 10.0F);
}

TEST(BatchTest, JoinsAndCutsStrings) {
  const std::string_view a_values[] = {"a", "bb"};
  const std::string_view b_values[] = {"", "d"};
  const Tensors a = {*Tensor::FromStrings({1, 2}, a_values, base::DefaultMemory())};
  const Tensors b = {*Tensor::FromStrings({1, 2}, b_values, base::DefaultMemory())};
  ASSERT_EQ(JoinKey(a), JoinKey(b));
  const Tensors* const runs[] = {&a, &b};
  auto joined = Concatenate(runs, base::DefaultMemory());
  ASSERT_TRUE(joined.ok());
  EXPECT_EQ((*joined)[0]->StringAt(1), "bb");
  auto cut = SliceRows(*joined, 1, 1, 2, "ONNX", base::DefaultMemory());
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ((*cut)[0]->StringAt(0), "");
  EXPECT_EQ((*cut)[0]->StringAt(1), "d");
}

TEST(BatchTest, DoesNotJoinOtherTypesOrRows) {
  const Tensors floats = {*Tensor::Create(DType::kFloat32, {1, 2}, base::DefaultMemory())};
  const Tensors ints = {*Tensor::Create(DType::kInt32, {1, 2}, base::DefaultMemory())};
  const Tensors wide = {*Tensor::Create(DType::kFloat32, {1, 3}, base::DefaultMemory())};
  EXPECT_NE(JoinKey(floats), JoinKey(ints));
  EXPECT_NE(JoinKey(floats), JoinKey(wide));
  EXPECT_EQ(BatchRows(std::vector<Tensor::Ptr>{*Tensor::Create(DType::kInt8, {}, base::DefaultMemory())}),
            std::nullopt);
  EXPECT_EQ(SliceRows(wide, 0, 1, 2, "ONNX", base::DefaultMemory()).status().message(),
            "ERR Model did not generate the expected batch size");
  EXPECT_EQ(SliceRows(wide, 0, 1, 2, "TF", base::DefaultMemory()).status().message(),
            "ERR Tensorflow batching error: model did not generate the expected batch size");
}

// Voluntary context switches so far of the thread with this name.
int64_t SwitchesOf(const std::string& thread_name) {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm") >> std::ws, name);
    if (name != thread_name) continue;
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("voluntary_ctxt_switches:")) return std::stoll(line.substr(line.find(':') + 1));
    }
  }
  return -1;
}

TEST(DeadlineTimerTest, SleepsThroughWhatIsRemovedInTime) {
  DeadlineTimer timer;
  timer.Remove(timer.Add(SteadyNowUs() + 5'000'000, [] {}));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const int64_t before = SwitchesOf("ai-timer");
  ASSERT_GE(before, 0);
  for (int i = 0; i < 200; ++i) {
    timer.Remove(timer.Add(SteadyNowUs() + 5'000'000, [] {}));
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  EXPECT_LE(SwitchesOf("ai-timer") - before, 2);
  EXPECT_TRUE(timer.StopWithin(1000));
}

TEST(DeadlineTimerTest, CallsInOrderOfTimeAndNotWhatWasRemoved) {
  DeadlineTimer timer;
  std::mutex mu;
  std::vector<int> called;
  const auto note = [&](int n) {
    return [&mu, &called, n] {
      std::lock_guard lock(mu);
      called.push_back(n);
    };
  };
  const int64_t now_us = SteadyNowUs();
  (void)timer.Add(now_us + 60'000, note(2));
  (void)timer.Add(now_us + 20'000, note(1));
  timer.Remove(timer.Add(now_us + 30'000, note(3)));
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  EXPECT_TRUE(timer.StopWithin(1000));
  EXPECT_EQ(called, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace redoubt::infer
