#include "infer/dag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "infer/model_loader.h"

namespace redoubt::infer {
namespace {

using tensor::DType;
using tensor::Tensor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using State = DagOpResult::State;

Tensor::Ptr Number(float value) {
  return *Tensor::FromBlob(DType::kFloat32, {1}, std::as_bytes(std::span(&value, 1)), base::DefaultMemory());
}
float ValueOf(const Tensor::Ptr& tensor) { return tensor->As<float>()[0]; }

using Names = std::vector<std::string_view>;

// ---- plans ----

TEST(DagPlanTest, ANameUsedAgainStandsForTheNewerValue) {
  DagBuilder builder;
  builder.Set("a", Number(1));
  const size_t first = *builder.Find("a");
  const Names a = {"a"};
  ASSERT_TRUE(builder.AddOp("CPU", a, a, {}).ok());
  const size_t second = *builder.Find("a");
  ASSERT_TRUE(builder.AddOp("GPU", a, Names{"b"}, {}).ok());
  builder.Set("a", Number(3));
  const size_t third = *builder.Find("a");
  const DagPlan plan = builder.Take();
  EXPECT_THAT(plan.ops[0].inputs, ElementsAre(first));
  EXPECT_THAT(plan.ops[0].outputs, ElementsAre(second));
  EXPECT_THAT(plan.ops[1].inputs, ElementsAre(second));
  EXPECT_EQ(ValueOf(plan.values[first]), 1);
  EXPECT_EQ(plan.values[second], nullptr);
  EXPECT_EQ(ValueOf(plan.values[third]), 3);
}

TEST(DagPlanTest, AnInputThatNothingMakesIsRefused) {
  DagBuilder builder;
  const auto op = builder.AddOp("CPU", Names{"later"}, Names{"x"}, {});
  EXPECT_EQ(op.status().code(), base::StatusCode::kNotFound);
  EXPECT_THAT(op.status().message(), ::testing::HasSubstr("'later'"));
}

TEST(DagPlanTest, OpsWaitForTheMakersOfTheirInputsAndForTheirDevice) {
  DagBuilder builder;
  builder.Set("x", Number(1));
  ASSERT_EQ(*builder.AddOp("CPU", Names{"x"}, Names{"a"}, {}), 0U);
  ASSERT_EQ(*builder.AddOp("CPU:1", Names{"x"}, Names{"b"}, {}), 1U);
  ASSERT_EQ(*builder.AddOp("CPU", Names{"x"}, Names{"c"}, {}), 2U);
  ASSERT_EQ(*builder.AddOp("CPU:1", Names{"a", "b", "a"}, Names{"d"}, {}), 3U);
  ASSERT_EQ(*builder.AddOp("CPU:2", Names{"d", "c"}, Names{"e"}, {}), 4U);
  const DagPlan plan = builder.Take();
  EXPECT_THAT(plan.ops[0].after, IsEmpty());
  EXPECT_THAT(plan.ops[1].after, IsEmpty());
  EXPECT_THAT(plan.ops[2].after, ElementsAre(0));     // nothing of it is read, but the device is the same
  EXPECT_THAT(plan.ops[3].after, ElementsAre(0, 1));  // each once
  EXPECT_THAT(plan.ops[4].after, ElementsAre(2, 3));
}

// ---- runs, whose ops the test begins and ends by hand ----

class DagTest : public ::testing::Test {
 protected:
  // Adds an op that waits for End(); its number.
  size_t Op(std::string device, Names inputs, Names outputs) {
    const size_t number = builder_.op_count();
    auto start = [this, number](Tensors tensors, int64_t timeout_ms, RunDone done) -> base::Status {
      if (refuse_ == number) return base::ResourceExhausted("the queue is full");
      started_.push_back(number);
      inputs_[number] = std::move(tensors);
      timeouts_[number] = timeout_ms;
      running_[number] = std::move(done);
      return base::OkStatus();
    };
    EXPECT_EQ(*builder_.AddOp(std::move(device), inputs, outputs, start), number);
    return number;
  }
  void Keep(std::string_view name) { builder_.Keep(*builder_.Find(name)); }

  void Run(int64_t timeout_ms = 0) {
    RunDag(builder_.Take(), timeout_ms, [this](DagResult result) {
      EXPECT_FALSE(result_.has_value()) << "answered twice";
      result_ = std::move(result);
    });
  }
  // As a worker would, at the end of a run.
  void End(size_t op, base::Result<Tensors> outputs, int64_t run_us = 5) {
    RunDone done = std::move(running_.at(op));
    running_.erase(op);
    done(std::move(outputs), {.queue_us = 1, .run_us = run_us, .batch_rows = 1});
  }
  void End(size_t op, float value) { End(op, Tensors{Number(value)}); }

  DagBuilder builder_;
  std::optional<size_t> refuse_;
  std::vector<size_t> started_;
  std::map<size_t, Tensors> inputs_;
  std::map<size_t, int64_t> timeouts_;
  std::map<size_t, RunDone> running_;
  std::optional<DagResult> result_;
};

TEST_F(DagTest, NothingToRunIsAnsweredAtOnce) {
  builder_.Set("a", Number(4));
  Keep("a");
  Run();
  ASSERT_TRUE(result_);
  EXPECT_TRUE(result_->ok());
  EXPECT_EQ(ValueOf(result_->values[0]), 4);
}

TEST_F(DagTest, ValuesFlowFromOpToOp) {
  builder_.Set("x", Number(1));
  const size_t first = Op("CPU", {"x"}, {"y"});
  const size_t second = Op("CPU", {"y", "x"}, {"z"});
  Keep("z");
  const size_t z = *builder_.Find("z");
  Run();
  EXPECT_THAT(started_, ElementsAre(first));
  End(first, 2);
  ASSERT_THAT(started_, ElementsAre(first, second));
  EXPECT_EQ(ValueOf(inputs_[second][0]), 2);
  EXPECT_EQ(ValueOf(inputs_[second][1]), 1);
  EXPECT_FALSE(result_);
  End(second, Tensors{Number(7)}, /*run_us=*/33);
  ASSERT_TRUE(result_);
  EXPECT_TRUE(result_->ok());
  EXPECT_EQ(ValueOf(result_->values[z]), 7);
  EXPECT_EQ(result_->ops[second].times.run_us, 33);
  EXPECT_EQ(result_->ops[second].rows, 1);
}

TEST_F(DagTest, DevicesWorkSideBySideAndADeviceInOrder) {
  builder_.Set("x", Number(1));
  const size_t a = Op("CPU", {"x"}, {"a"});
  const size_t b = Op("CPU:1", {"x"}, {"b"});
  const size_t c = Op("CPU", {"x"}, {"c"});  // could run, but for `a`
  const size_t d = Op("CPU:1", {"a", "b"}, {"d"});
  Run();
  EXPECT_THAT(started_, ElementsAre(a, b));
  End(b, 2);
  EXPECT_THAT(started_, ElementsAre(a, b));
  End(a, 3);
  EXPECT_THAT(started_, ElementsAre(a, b, c, d));
  End(d, 4);
  EXPECT_FALSE(result_);
  End(c, 5);
  EXPECT_TRUE(result_ && result_->ok());
}

TEST_F(DagTest, ValuesAreFreedAfterTheirLastUse) {
  auto x = Number(1);
  const std::weak_ptr<const Tensor> watched = x;
  builder_.Set("x", std::move(x));
  const size_t a = Op("CPU", {"x"}, {"a"});
  const size_t b = Op("CPU", {"a"}, {"unused"});
  Run();
  EXPECT_FALSE(watched.expired());
  inputs_.clear();
  EXPECT_TRUE(watched.expired());
  End(a, 2);
  auto unused = Number(3);
  const std::weak_ptr<const Tensor> unused_watched = unused;
  End(b, Tensors{std::move(unused)});
  EXPECT_TRUE(unused_watched.expired());
  for (const Tensor::Ptr& value : result_->values) EXPECT_EQ(value, nullptr);
}

TEST_F(DagTest, AFailureStopsWhatFollowsAndWaitsForWhatRuns) {
  builder_.Set("x", Number(1));
  const size_t bad = Op("CPU", {"x"}, {"a"});
  const size_t beside = Op("CPU:1", {"x"}, {"b"});
  const size_t after = Op("CPU", {"a"}, {"c"});
  const size_t also = Op("CPU:1", {"x"}, {"d"});
  Run();
  End(bad, base::InvalidArgument("wrong shape"));
  EXPECT_FALSE(result_);
  End(beside, 2);
  ASSERT_TRUE(result_);
  EXPECT_THAT(started_, ElementsAre(bad, beside));
  EXPECT_FALSE(result_->ok());
  EXPECT_FALSE(result_->timed_out);
  EXPECT_EQ(result_->ops[bad].state, State::kFailed);
  EXPECT_EQ(result_->ops[bad].status.message(), "wrong shape");
  EXPECT_EQ(result_->ops[beside].state, State::kDone);
  EXPECT_EQ(result_->ops[after].state, State::kNotRun);
  EXPECT_EQ(result_->ops[also].state, State::kNotRun);
}

TEST_F(DagTest, ARefusedOpIsAFailureThatNobodyWaitsFor) {
  builder_.Set("x", Number(1));
  refuse_ = Op("CPU", {"x"}, {"a"});
  const size_t beside = Op("CPU:1", {"x"}, {"b"});
  Run();
  ASSERT_TRUE(result_);
  EXPECT_THAT(started_, IsEmpty());
  EXPECT_EQ(result_->ops[0].state, State::kRefused);
  EXPECT_EQ(result_->ops[beside].state, State::kNotRun);
}

TEST_F(DagTest, ALaterRefusalIsAFailureToo) {
  builder_.Set("x", Number(1));
  const size_t a = Op("CPU", {"x"}, {"a"});
  refuse_ = Op("CPU", {"a"}, {"b"});
  Run();
  End(a, 1);
  ASSERT_TRUE(result_);
  EXPECT_EQ(result_->ops[a].state, State::kDone);
  EXPECT_EQ(result_->ops[1].state, State::kRefused);
}

TEST_F(DagTest, AnOpThatGivesAnotherNumberOfTensorsFails) {
  builder_.Set("x", Number(1));
  const size_t a = Op("CPU", {"x"}, {"a", "b"});
  Run();
  End(a, 1);
  ASSERT_TRUE(result_);
  EXPECT_EQ(result_->ops[a].status.code(), base::StatusCode::kInternal);
}

TEST_F(DagTest, TheTimeLeftGoesToEachOpAndItsEndEndsAll) {
  builder_.Set("x", Number(1));
  const size_t a = Op("CPU", {"x"}, {"a"});
  const size_t b = Op("CPU:1", {"x"}, {"b"});
  const size_t c = Op("CPU", {"a"}, {"c"});
  Run(/*timeout_ms=*/1000);
  EXPECT_LE(timeouts_[a], 1000);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  End(a, 2);
  EXPECT_LE(timeouts_[c], 980);
  EXPECT_GT(timeouts_[c], 0);
  End(c, base::DeadlineExceeded("over"));
  ASSERT_TRUE(result_);  // without waiting for `b`
  EXPECT_TRUE(result_->timed_out);
  EXPECT_EQ(result_->ops[a].state, State::kDone);
  EXPECT_EQ(result_->ops[b].state, State::kRunning);
  EXPECT_EQ(result_->ops[c].state, State::kFailed);
  EXPECT_FALSE(result_->ok());
  End(b, base::DeadlineExceeded("over"));  // is not answered a second time
}

TEST_F(DagTest, NothingIsStartedWhenTheTimeIsOver) {
  builder_.Set("x", Number(1));
  const size_t a = Op("CPU", {"x"}, {"a"});
  Op("CPU", {"a"}, {"b"});
  Run(/*timeout_ms=*/1);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  End(a, 2);
  EXPECT_THAT(started_, ElementsAre(a));
  EXPECT_TRUE(result_ && result_->timed_out);
}

TEST_F(DagTest, ManyOpsEndOnManyThreads) {
  constexpr size_t kChains = 4;
  constexpr size_t kLength = 200;
  std::mutex mu;
  std::condition_variable answered;
  std::vector<std::thread> threads;
  DagBuilder builder;
  std::vector<std::string> names;
  for (size_t chain = 0; chain < kChains; ++chain) names.push_back("v" + std::to_string(chain));
  for (const std::string& name : names) builder.Set(name, Number(0));
  for (size_t i = 0; i < kLength; ++i) {
    for (size_t chain = 0; chain < kChains; ++chain) {
      // Every op also reads a neighbour, so that the chains meet.
      const Names inputs = {names[chain], names[(chain + 1) % kChains]};
      const Names outputs = {names[chain]};
      auto start = [&](Tensors tensors, int64_t, RunDone done) {
        std::lock_guard lock(mu);
        threads.emplace_back([tensors = std::move(tensors), done = std::move(done)] {
          done(Tensors{Number(ValueOf(tensors[0]) + 1)}, {});
        });
        return base::OkStatus();
      };
      ASSERT_TRUE(builder.AddOp("CPU:" + std::to_string(chain), inputs, outputs, start).ok());
    }
  }
  std::vector<size_t> last;
  for (const std::string& name : names) {
    last.push_back(*builder.Find(name));
    builder.Keep(last.back());
  }
  std::optional<DagResult> result;
  RunDag(builder.Take(), 0, [&](DagResult r) {
    std::lock_guard lock(mu);
    result = std::move(r);
    answered.notify_all();
  });
  {
    std::unique_lock lock(mu);
    ASSERT_TRUE(answered.wait_for(lock, std::chrono::seconds(30), [&] { return result.has_value(); }));
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(result->ok());
  for (size_t value : last) EXPECT_EQ(ValueOf(result->values[value]), kLength);
}

// ---- with the executor ----

// A loader whose models cannot be built, for want of a backend: their runs end with an error, which is all that is
// needed here. Models asked for after Hold() are being built until Release().
class DagExecutorTest : public ::testing::Test {
 protected:
  std::shared_ptr<ModelSlot> Load() {
    ModelSpec spec;
    spec.backend = "ONNX";
    return loader_.Load(spec);
  }
  static void WaitFor(const ModelSlot& slot) {
    while (!slot.built()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  void Hold() {
    loader_.Run([gate = gate_.get_future().share()] { gate.wait(); });
  }
  void Release() { gate_.set_value(); }

  void TearDown() override {
    // Models are freed on the loader's thread, which drops what it has not begun when it is stopped.
    std::promise<void> all_freed;
    loader_.Run([&all_freed] { all_freed.set_value(); });
    all_freed.get_future().wait();
    EXPECT_TRUE(loader_.StopWithin(2000));
  }

  static BackendRegistry& NoBackends() {
    static auto* registry = new BackendRegistry({.directory = "/nonexistent"});  // never closed, as elsewhere
    return *registry;
  }

  ModelLoader loader_{NoBackends(), {}};
  std::promise<void> gate_;
  Executor executor_{{.threads_per_device = 1, .queue_limit = 10, .max_run_ms = 0, .nice = 0, .memory = nullptr}};
};

// From a worker, and from the timer's thread.
TEST_F(DagExecutorTest, AFollowUpMayBeSubmittedFromTheAnswerOfARun) {
  auto fails = Load();
  WaitFor(*fails);
  Hold();
  auto loading = Load();  // its runs wait for their deadline

  std::mutex mu;
  std::condition_variable changed;
  int left = 1000;
  std::function<void()> next = [&] {
    const bool by_timer = left % 200 == 0;
    RunRequest request;
    request.model = by_timer ? loading : fails;
    request.inputs = {Number(1)};
    request.timeout_ms = by_timer ? 5 : 0;
    request.done = [&](base::Result<Tensors> outputs, const RunTimes&) {
      EXPECT_FALSE(outputs.ok());
      {
        std::lock_guard lock(mu);
        if (--left == 0) {
          changed.notify_all();
          return;
        }
      }
      next();
    };
    EXPECT_TRUE(executor_.Submit(left % 2 == 0 ? "CPU" : "CPU:1", std::move(request)).ok());
  };
  next();
  {
    std::unique_lock lock(mu);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return left == 0; }));
  }
  EXPECT_TRUE(executor_.StopWithin(2000));
  Release();
  WaitFor(*loading);
}

// The answer comes from the thread that stops the executor, and what would follow is not begun.
TEST_F(DagExecutorTest, StoppingEndsADag) {
  Hold();
  auto loading = Load();
  const auto start = [&](Tensors inputs, int64_t timeout_ms, RunDone done) {
    RunRequest request;
    request.model = loading;
    request.inputs = std::move(inputs);
    request.timeout_ms = timeout_ms;
    request.done = std::move(done);
    return executor_.Submit("CPU", std::move(request));
  };
  DagBuilder builder;
  builder.Set("x", Number(1));
  ASSERT_TRUE(builder.AddOp("CPU", Names{"x"}, Names{"y"}, start).ok());
  ASSERT_TRUE(builder.AddOp("CPU", Names{"y"}, Names{"z"}, start).ok());
  std::optional<DagResult> result;
  RunDag(builder.Take(), 0, [&](DagResult r) { result = std::move(r); });
  EXPECT_FALSE(result);
  EXPECT_TRUE(executor_.StopWithin(2000));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->ops[0].status.code(), base::StatusCode::kCancelled);
  EXPECT_EQ(result->ops[1].state, State::kNotRun);
  Release();
  WaitFor(*loading);
}

}  // namespace
}  // namespace redoubt::infer
