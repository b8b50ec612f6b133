#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/result.h"
#include "base/thread_pool.h"

namespace redoubt::base {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return InvalidArgument("odd");
  return n / 2;
}

Result<int> Quarter(int n) {
  ASSIGN_OR_RETURN(int half, Half(n));
  return Half(half);
}

TEST(ResultTest, CarriesTheFirstError) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).status().message(), "odd");
}

TEST(ResultTest, HoldsValuesThatOnlyMove) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(JsonTest, RefusesWhatIsNestedTooDeep) {
  std::string bomb(100'000, '[');
  EXPECT_EQ(ParseJson(bomb).status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(ParseJson(R"({"a":"[[[[["})", {.max_bytes = 100, .max_depth = 2}).ok());
}

TEST(JsonTest, RefusesWhatIsTooLong) {
  EXPECT_EQ(ParseJson("[1,2,3]", {.max_bytes = 3, .max_depth = 2}).status().code(), StatusCode::kResourceExhausted);
}

TEST(JsonTest, DumpsBytesThatAreNoUtf8) { EXPECT_EQ(DumpJson(Json("a\xff")), "\"a\xEF\xBF\xBD\""); }

TEST(ClockTest, FormatsTimesBeforeAndAfterTheEpoch) {
  EXPECT_EQ(FormatUtcMillis(1'700'000'000'123), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(FormatUtcMillis(-1), "1969-12-31T23:59:59.999Z");
}

TEST(LangTest, TakesTheBestOfTheTwoThatTheBrowserAccepts) {
  EXPECT_EQ(NegotiateLang("fr, en;q=0.7, ko-KR;q=0.9"), Lang::kKo);
  EXPECT_EQ(NegotiateLang("en-US,en;q=0.9"), Lang::kEn);
  EXPECT_EQ(NegotiateLang("fr, de;q=0.5"), std::nullopt);
  EXPECT_EQ(ParseLang("kok"), std::nullopt);
}

TEST(LogTest, DropsLinesBelowItsLevel) {
  std::string seen;
  Logger log([&](LogLevel, std::string_view message) { seen += message; }, LogLevel::kWarning);
  log.Info("quiet {}", 1);
  log.Warning("loud {}", 2);
  EXPECT_EQ(seen, "loud 2");
}

TEST(ThreadPoolTest, GivesATaskToAnIdleThreadOnly) {
  std::promise<void> started;
  std::promise<void> release;
  ThreadPool pool("test", 1, 10);  // ends before what its task uses
  auto occupy = [&] {
    started.set_value();
    release.get_future().wait();
  };
  while (!pool.TrySubmitToIdle(occupy)) std::this_thread::yield();  // the thread is on its way to its first wait
  started.get_future().wait();
  EXPECT_FALSE(pool.TrySubmitToIdle([] {}));
  release.set_value();
}

TEST(ThreadPoolTest, RefusesBeyondItsQueue) {
  std::promise<void> started;
  std::promise<void> release;
  std::atomic<int> ran = 0;
  ThreadPool pool("test", 1, 1);  // ends before what its tasks use
  ASSERT_TRUE(pool.TrySubmit([&] {
    started.set_value();
    release.get_future().wait();
    ++ran;
  }));
  started.get_future().wait();
  EXPECT_TRUE(pool.TrySubmit([&] { ++ran; }));
  EXPECT_FALSE(pool.TrySubmit([&] { ++ran; }));
  release.set_value();
  while (ran < 2) std::this_thread::yield();
  pool.Stop();
  EXPECT_FALSE(pool.TrySubmit([] {}));
}

class TightMemory final : public MemoryResource {
 public:
  void* Allocate(size_t, size_t) override { return nullptr; }
  void Deallocate(void*, size_t, size_t) override {}
};

TEST(BufferTest, SaysWhenThereIsNoRoom) {
  TightMemory memory;
  EXPECT_EQ(Buffer::Create(16, memory).status().code(), StatusCode::kResourceExhausted);
}

TEST(BufferTest, IsAlignedForEveryInstructionSet) {
  Buffer buffer = Buffer::Create(100, DefaultMemory()).value();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0u);
  Buffer moved = std::move(buffer);
  EXPECT_EQ(moved.size(), 100u);
}

}  // namespace
}  // namespace redoubt::base
