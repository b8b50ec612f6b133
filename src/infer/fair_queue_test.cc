#include "infer/fair_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "base/memory.h"

namespace redoubt::infer {
namespace {

using tensor::DType;
using tensor::Tensor;

std::shared_ptr<ModelSlot> Slot(Batching batching = {}) {
  ModelSpec spec;
  spec.batching = batching;
  return std::make_shared<ModelSlot>(spec);
}

PendingRun::Ptr RunOf(const std::shared_ptr<ModelSlot>& slot, int64_t columns = 1, int64_t submitted_us = 0) {
  auto run = std::make_shared<PendingRun>();
  run->request.model = slot;
  run->request.inputs = {*Tensor::Create(DType::kFloat32, {1, columns}, base::DefaultMemory())};
  run->rows = 1;
  run->submitted_us = submitted_us;
  return run;
}

// Takes and finishes one execution that lasts `run_us`; the model it was for, null when nothing could run.
const ModelSlot* Step(FairQueue& queue, const std::map<const ModelSlot*, int64_t>& run_us) {
  const FairQueue::Choice choice = queue.Take(0);
  if (choice.group.empty()) return nullptr;
  const ModelSlot* model = choice.group.front()->request.model.get();
  queue.Finished(model, choice.charged_us, run_us.at(model));
  return model;
}

TEST(FairQueueTest, KeepsTheOrderWithinAModel) {
  FairQueue queue;
  auto slot = Slot();
  const std::vector<PendingRun::Ptr> runs = {RunOf(slot), RunOf(slot), RunOf(slot)};
  for (const auto& run : runs) queue.Push(run);
  for (const auto& run : runs) EXPECT_EQ(queue.Take(0).group, RunGroup{run});
  EXPECT_TRUE(queue.Take(0).group.empty());
}

TEST(FairQueueTest, SharesTimeAndNotTurns) {
  FairQueue queue;
  auto quick = Slot(), slow = Slot();
  for (int i = 0; i < 2000; ++i) queue.Push(RunOf(quick));
  for (int i = 0; i < 200; ++i) queue.Push(RunOf(slow));
  const std::map<const ModelSlot*, int64_t> cost = {{quick.get(), 10}, {slow.get(), 100}};
  std::map<const ModelSlot*, int64_t> used_us;
  for (int i = 0; i < 1000; ++i) {
    const ModelSlot* model = Step(queue, cost);
    used_us[model] += cost.at(model);
  }
  EXPECT_NEAR(static_cast<double>(used_us[quick.get()]) / static_cast<double>(used_us[slow.get()]), 1.0, 0.05);
}

TEST(FairQueueTest, ALongLineForOneModelDoesNotDelayAnother) {
  FairQueue queue;
  auto busy = Slot(), other = Slot();
  const std::map<const ModelSlot*, int64_t> cost = {{busy.get(), 10}, {other.get(), 10}};
  for (int i = 0; i < 1000; ++i) queue.Push(RunOf(busy));
  for (int i = 0; i < 50; ++i) Step(queue, cost);
  queue.Push(RunOf(other));
  int turns = 1;
  while (Step(queue, cost) != other.get()) ++turns;
  EXPECT_LE(turns, 2);
}

TEST(FairQueueTest, AModelThatRestedGathersNoCredit) {
  FairQueue queue;
  auto busy = Slot(), rested = Slot();
  const std::map<const ModelSlot*, int64_t> cost = {{busy.get(), 10}, {rested.get(), 10}};
  for (int i = 0; i < 1000; ++i) queue.Push(RunOf(busy));
  queue.Push(RunOf(rested));
  for (int i = 0; i < 500; ++i) Step(queue, cost);
  for (int i = 0; i < 1000; ++i) queue.Push(RunOf(rested));
  int turns_of_rested = 0;
  for (int i = 0; i < 100; ++i) turns_of_rested += Step(queue, cost) == rested.get() ? 1 : 0;
  EXPECT_NEAR(turns_of_rested, 50, 2);
}

TEST(FairQueueTest, AClosedLoopOfLongRunsPaysItsDebt) {
  FairQueue queue;
  auto busy = Slot(), one_by_one = Slot();
  const std::map<const ModelSlot*, int64_t> cost = {{busy.get(), 10}, {one_by_one.get(), 100}};
  for (int i = 0; i < 5000; ++i) queue.Push(RunOf(busy));
  queue.Push(RunOf(one_by_one));
  int long_runs = 0;
  for (int i = 0; i < 1100; ++i) {
    if (Step(queue, cost) != one_by_one.get()) continue;
    ++long_runs;
    queue.Push(RunOf(one_by_one));  // its client sends the next when it has the answer
  }
  EXPECT_NEAR(long_runs, 100, 5);
}

TEST(FairQueueTest, ABatchWaitsUntilItIsDue) {
  FairQueue queue;
  auto slot = Slot({.size = 8, .min_size = 4, .min_timeout_ms = 5});
  queue.Push(RunOf(slot, 1, 1000));
  const FairQueue::Choice early = queue.Take(2000);
  EXPECT_TRUE(early.group.empty());
  EXPECT_EQ(early.wake_us, 6000);
  EXPECT_EQ(queue.Take(6000).group.size(), 1U);
}

TEST(FairQueueTest, OtherShapesDoNotWaitBehindAnUnfilledBatch) {
  FairQueue queue;
  auto slot = Slot({.size = 2, .min_size = 2, .min_timeout_ms = 0});
  queue.Push(RunOf(slot, 1));
  queue.Push(RunOf(slot, 3));
  queue.Push(RunOf(slot, 3));
  const FairQueue::Choice choice = queue.Take(0);
  ASSERT_EQ(choice.group.size(), 2U);
  EXPECT_EQ(choice.group[0]->request.inputs[0]->shape()[1], 3);
}

TEST(FairQueueTest, OfWhatIsReadyTheOldestGoesFirst) {
  FairQueue queue;
  auto slot = Slot({.size = 2, .min_size = 2, .min_timeout_ms = 5});
  queue.Push(RunOf(slot, 1, 1000));
  for (int i = 0; i < 2; ++i) queue.Push(RunOf(slot, 3, 2000));
  EXPECT_EQ(queue.Take(3000).group.size(), 2U);
  for (int i = 0; i < 2; ++i) queue.Push(RunOf(slot, 3, 3000));
  // The first is due by now, alone.
  EXPECT_EQ(queue.Take(6000).group.size(), 1U);
  EXPECT_EQ(queue.Take(6000).group.size(), 2U);
}

TEST(FairQueueTest, ABatchTakesWhatFitsAndLeavesTheRest) {
  FairQueue queue;
  auto slot = Slot({.size = 4});
  for (int64_t rows : {3, 2, 1}) {
    auto run = RunOf(slot);
    run->rows = rows;
    queue.Push(run);
  }
  EXPECT_EQ(queue.Take(0).group.size(), 2U);
  EXPECT_EQ(queue.Take(0).group.size(), 1U);
  auto large = RunOf(slot);
  large->rows = 9;
  queue.Push(large);
  EXPECT_EQ(queue.Take(0).group, RunGroup{large});
}

TEST(FairQueueTest, WhatWasRemovedIsNotWaitedFor) {
  FairQueue queue;
  auto slot = Slot({.size = 4, .min_size = 2, .min_timeout_ms = 5});
  auto first = RunOf(slot, 1, 1000), second = RunOf(slot, 1, 2000);
  queue.Push(first);
  queue.Push(second);
  queue.Remove(first);
  const FairQueue::Choice choice = queue.Take(6500);
  EXPECT_TRUE(choice.group.empty());
  EXPECT_EQ(choice.wake_us, 7000);
}

TEST(FairQueueTest, WhatWasRemovedDoesNotRun) {
  FairQueue queue;
  auto slot = Slot();
  auto first = RunOf(slot), second = RunOf(slot);
  queue.Push(first);
  queue.Push(second);
  queue.Remove(first);
  queue.Remove(first);
  EXPECT_EQ(queue.Take(0).group, RunGroup{second});
}

}  // namespace
}  // namespace redoubt::infer
