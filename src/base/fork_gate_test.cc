#include "base/fork_gate.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace redoubt::base {
namespace {

TEST(ForkGateTest, WithoutAGateAPassIsNothing) { ForkGate::Pass pass(nullptr); }

// Four threads keep two numbers equal; whoever closes the gate never sees them differ.
TEST(ForkGateTest, NothingIsHalfChangedWhileItIsClosed) {
  ForkGate gate;
  std::array<std::atomic<int>, 4> first = {};
  std::array<std::atomic<int>, 4> second = {};
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < first.size(); ++i) {
    threads.emplace_back([&, i] {
      while (!stop) {
        ForkGate::Pass pass(&gate);
        ++first[i];
        std::this_thread::yield();
        ++second[i];
      }
    });
  }
  for (const std::atomic<int>& begun : second) {
    while (begun == 0) std::this_thread::yield();
  }
  for (int round = 0; round < 200; ++round) {
    ForkGate::Closed closed(gate);
    for (size_t i = 0; i < first.size(); ++i) ASSERT_EQ(first[i], second[i]);
    std::this_thread::yield();
    for (size_t i = 0; i < first.size(); ++i) ASSERT_EQ(first[i], second[i]);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST(ForkGateTest, AChildCanCloseItAgain) {
  ForkGate gate;
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) ForkGate::Pass pass(&gate);
  });
  for (int round = 0; round < 20; ++round) {
    gate.Close();
    const pid_t child = fork();
    gate.Open();
    if (child == 0) {
      { ForkGate::Closed closed(gate); }
      { ForkGate::Pass pass(&gate); }
      _exit(7);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace redoubt::base
