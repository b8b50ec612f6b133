#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "infer/executor.h"

namespace redoubt::infer {
namespace {

// Ends when it is told to; readiness is up to the test.
class TestJob final : public Job {
 public:
  explicit TestJob(bool ready = true) : ready_(ready) {}

  const void* lane() const override { return this; }
  bool ready() const override { return ready_; }
  void WhenReady(std::function<void()> callback) override { when_ready_ = std::move(callback); }
  base::Result<Tensors> Run(int64_t /*limit_ms*/) override {
    std::unique_lock lock(mu_);
    runs_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return may_end_; });
    return Tensors{};
  }
  void Cancel() override { cancelled = true; }

  // Once: the callback holds the run, which holds this job.
  void BecomeReady() { std::exchange(when_ready_, nullptr)(); }
  void LetEnd() {
    std::lock_guard lock(mu_);
    may_end_ = true;
    changed_.notify_all();
  }
  bool WaitUntilItRuns() {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return runs_; });
  }

  std::atomic<bool> cancelled = false;

 private:
  bool ready_;
  std::function<void()> when_ready_;
  std::mutex mu_;
  std::condition_variable changed_;
  bool runs_ = false;
  bool may_end_ = false;
};

class JobTest : public ::testing::Test {
 protected:
  RunRequest Request(std::shared_ptr<Job> job, int64_t timeout_ms = 0) {
    RunRequest request;
    request.timeout_ms = timeout_ms;
    request.job = std::move(job);
    request.done = [this](base::Result<Tensors> outputs, const RunTimes&) {
      std::lock_guard lock(mu_);
      answer_ = outputs.status();
      changed_.notify_all();
    };
    return request;
  }
  base::Status Answer() {
    std::unique_lock lock(mu_);
    if (!changed_.wait_for(lock, std::chrono::seconds(10), [this] { return answer_.has_value(); })) {
      return base::Internal("no answer");
    }
    return *std::exchange(answer_, std::nullopt);
  }

  std::mutex mu_;
  std::condition_variable changed_;
  std::optional<base::Status> answer_;
};

TEST_F(JobTest, TakesItsTurnOnAWorker) {
  Executor executor({});
  auto job = std::make_shared<TestJob>();
  job->LetEnd();
  ASSERT_TRUE(executor.Submit("CPU", Request(job)).ok());
  EXPECT_TRUE(Answer().ok());
  EXPECT_FALSE(job->cancelled);
  EXPECT_TRUE(executor.StopWithin(5000));
}

TEST_F(JobTest, OthersPassAJobThatIsNotReady) {
  Executor executor({});
  auto late = std::make_shared<TestJob>(false);
  auto job = std::make_shared<TestJob>();
  late->LetEnd();
  job->LetEnd();
  ASSERT_TRUE(executor.Submit("CPU", Request(late)).ok());
  ASSERT_TRUE(executor.Submit("CPU", Request(job)).ok());
  EXPECT_TRUE(Answer().ok());
  late->BecomeReady();
  EXPECT_TRUE(Answer().ok());
  EXPECT_TRUE(late->WaitUntilItRuns());
  EXPECT_TRUE(executor.StopWithin(5000));
}

TEST_F(JobTest, IsAnsweredAtItsDeadlineAndGoesOn) {
  Executor executor({});
  auto job = std::make_shared<TestJob>();
  ASSERT_TRUE(executor.Submit("CPU", Request(job, 30)).ok());
  EXPECT_EQ(Answer().code(), base::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(job->WaitUntilItRuns());
  EXPECT_EQ(executor.Stats()[0].running, 1u);
  job->LetEnd();
  while (executor.Stats()[0].running != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(executor.Stats()[0].discarded, 1u);
  EXPECT_TRUE(job->cancelled);
  EXPECT_TRUE(executor.StopWithin(5000));
}

TEST_F(JobTest, IsGivenUpAfterTheLongestTimeOfARun) {
  Executor executor({.max_run_ms = 30});
  auto job = std::make_shared<TestJob>();
  ASSERT_TRUE(executor.Submit("CPU", Request(job)).ok());
  const base::Status answer = Answer();
  EXPECT_NE(answer.message().find("given up after 30 ms"), std::string::npos) << answer.message();
  EXPECT_TRUE(job->cancelled);
  job->LetEnd();
  while (executor.Stats()[0].running != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(executor.Stats()[0].discarded, 1u);
  EXPECT_TRUE(executor.StopWithin(5000));
}

TEST_F(JobTest, IsToldWhenTheExecutorStops) {
  Executor executor({});
  auto job = std::make_shared<TestJob>();
  ASSERT_TRUE(executor.Submit("CPU", Request(job)).ok());
  ASSERT_TRUE(job->WaitUntilItRuns());
  std::thread ends([&] {
    while (!job->cancelled) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    job->LetEnd();
  });
  EXPECT_TRUE(executor.StopWithin(5000));
  ends.join();
}

}  // namespace
}  // namespace redoubt::infer
