#include "infer/division_watch.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <thread>

#include "infer/worker_threads.h"

#if defined(__x86_64__)

namespace redoubt::infer {
namespace {

template <class Int>
constexpr Int kMin = std::numeric_limits<Int>::min();

// The instruction itself: the compiler may not reason about what C++ leaves undefined.
struct Result {
  uint64_t quotient = 7;
  uint64_t remainder = 7;
};

Result Divide64(int64_t a, int64_t b) {
  Result r;
  asm volatile("cqto\n idivq %3" : "=a"(r.quotient), "=&d"(r.remainder) : "a"(a), "r"(b));
  return r;
}

Result Divide64InMemory(int64_t a, int64_t b) {
  Result r;
  const int64_t divisors[] = {5, b, 5};
  asm volatile("cqto\n idivq 8(%3, %4, 8)"
               : "=a"(r.quotient), "=&d"(r.remainder)
               : "a"(a), "r"(divisors), "r"(int64_t{0}), "m"(divisors));
  return r;
}

Result DivideUnsigned64(uint64_t high, uint64_t low, uint64_t b) {
  Result r;
  asm volatile("divq %4" : "=a"(r.quotient), "=d"(r.remainder) : "a"(low), "d"(high), "r"(b));
  return r;
}

Result Divide32(int32_t a, int32_t b) {
  Result r;
  asm volatile("cltd\n idivl %k3" : "=a"(r.quotient), "=&d"(r.remainder) : "a"(a), "r"(b));
  return r;
}

// What lies above the 16 bits stays.
Result Divide16(int16_t a, int16_t b) {
  Result r;
  const uint64_t high = 0xabcd'0000'0000;
  asm volatile("cwtd\n idivw %w3"
               : "=a"(r.quotient), "=&d"(r.remainder)
               : "a"(high | static_cast<uint16_t>(a)), "r"(b), "1"(high));
  return r;
}

Result Divide8(int8_t a, int8_t b) {
  uint64_t ax = 0xabcd'0000'0000 | static_cast<uint16_t>(a);
  asm volatile("idivb %b1" : "+a"(ax) : "r"(b));
  return {ax & 0xffff'ffff'ffff'00ff, ax >> 8 & 0xff};
}

Result DivideUnsigned8(uint8_t a, uint8_t b) {
  uint64_t ax = a;
  asm volatile("divb %b1" : "+a"(ax) : "r"(b));
  return {ax & 0xff, ax >> 8 & 0xff};
}

void ExpectTrapped(const Result& result, uint64_t quotient = 0, uint64_t remainder = 0) {
  EXPECT_EQ(result.quotient, quotient);
  EXPECT_EQ(result.remainder, remainder);
}

TEST(DivisionWatchTest, DivisionsThatTrapGiveZeroAndAreTold) {
  const DivisionWatch watch;
  ExpectTrapped(Divide64(1, 0));
  ExpectTrapped(Divide64(kMin<int64_t>, -1));
  ExpectTrapped(Divide64InMemory(1, 0));
  ExpectTrapped(Divide64InMemory(kMin<int64_t>, -1));
  ExpectTrapped(DivideUnsigned64(0, 1, 0));
  ExpectTrapped(DivideUnsigned64(5, 1, 5));  // the quotient has 65 bits
  ExpectTrapped(Divide32(1, 0));
  ExpectTrapped(Divide32(kMin<int32_t>, -1));
  ExpectTrapped(Divide16(1, 0), 0xabcd'0000'0000, 0xabcd'0000'0000);
  ExpectTrapped(Divide16(kMin<int16_t>, -1), 0xabcd'0000'0000, 0xabcd'0000'0000);
  ExpectTrapped(Divide8(1, 0), 0xabcd'0000'0000);
  ExpectTrapped(Divide8(kMin<int8_t>, -1), 0xabcd'0000'0000);
  ExpectTrapped(DivideUnsigned8(1, 0));
  EXPECT_EQ(watch.Outcome().code(), base::StatusCode::kFailedPrecondition);
  EXPECT_EQ(watch.Outcome().message(), "integer division by zero, or of the smallest number by -1");
}

TEST(DivisionWatchTest, OtherDivisionsAreWhatTheyAre) {
  const DivisionWatch watch;
  EXPECT_EQ(Divide64(17, -5).quotient, static_cast<uint64_t>(-3));
  EXPECT_EQ(Divide64InMemory(17, 5).remainder, 2U);
  EXPECT_EQ(Divide8(17, 5).quotient & 0xff, 3U);
  EXPECT_TRUE(watch.Outcome().ok());
}

TEST(DivisionWatchTest, EachWatchTellsOfItsOwnTime) {
  const DivisionWatch outer;
  {
    const DivisionWatch inner;
    Divide64(1, 0);
    EXPECT_FALSE(inner.Outcome().ok());
  }
  EXPECT_TRUE(outer.Outcome().ok());
  Divide64(1, 0);
  EXPECT_FALSE(outer.Outcome().ok());
  EXPECT_TRUE(DivisionWatch().Outcome().ok());
}

TEST(DivisionWatchTest, AVendorsThreadsAreWatchedToo) {
  const DivisionWatch watch;
  // As vendors do: their threads are started by a thread of ours, and take over what signals it blocks.
  std::thread([] {
    BecomeWorker("test", 0);
    std::thread([] { ExpectTrapped(Divide64(1, 0)); }).join();
  }).join();
  EXPECT_NE(watch.Outcome().message().find("shares with others"), std::string::npos) << watch.Outcome().message();
  EXPECT_TRUE(DivisionWatch().Outcome().ok());
}

// The server's crash report, as far as this test goes.
void Report(int /*signal*/, siginfo_t* info, void* context) {
  _exit(info != nullptr && context != nullptr ? (info->si_code == FPE_INTDIV ? 8 : 9) : 1);
}

void HandleByReport() {
  struct sigaction report {};
  report.sa_sigaction = &Report;
  report.sa_flags = SA_SIGINFO | SA_RESETHAND;
  sigaction(SIGFPE, &report, nullptr);
}

class DivisionWatchDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(DivisionWatchDeathTest, TrapsWithoutAWatchReachTheHandlerBefore) {
  EXPECT_EXIT(
      {
        HandleByReport();
        { const DivisionWatch watch; }
        Divide64(1, 0);
      },
      ::testing::ExitedWithCode(8), "");
}

TEST_F(DivisionWatchDeathTest, TrapsOfTheServersThreadsReachTheHandlerBefore) {
  EXPECT_EXIT(
      {
        HandleByReport();
        const DivisionWatch watch;
        std::thread([] { Divide64(1, 0); }).join();
      },
      ::testing::ExitedWithCode(8), "");
}

TEST_F(DivisionWatchDeathTest, SignalsThatSomebodySendsReachTheHandlerBefore) {
  EXPECT_EXIT(
      {
        HandleByReport();
        const DivisionWatch watch;
        raise(SIGFPE);
      },
      ::testing::ExitedWithCode(9), "");
}

TEST_F(DivisionWatchDeathTest, WithoutAHandlerBeforeTheSignalEndsTheProcess) {
  const auto no_handler = [] {
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    sigaction(SIGFPE, &standard, nullptr);
    const DivisionWatch watch;
  };
  EXPECT_EXIT((no_handler(), Divide64(1, 0)), ::testing::KilledBySignal(SIGFPE), "");
  EXPECT_EXIT((no_handler(), raise(SIGFPE)), ::testing::KilledBySignal(SIGFPE), "");
}

TEST_F(DivisionWatchDeathTest, AHandlerThatIsSetLaterIsTheHandlerBefore) {
  EXPECT_EXIT(
      {
        { const DivisionWatch watch; }
        HandleByReport();
        {
          const DivisionWatch watch;
          Divide64(1, 0);
          if (watch.Outcome().ok()) _exit(2);
        }
        Divide64(1, 0);
      },
      ::testing::ExitedWithCode(8), "");
}

// Where the assembler put an instruction, without running it.
struct Assembled {
  const uint8_t* begin;
  size_t length;
};
#define ASSEMBLED(text)                                                                                               \
  [] {                                                                                                                \
    Assembled a;                                                                                                      \
    asm volatile("jmp 2f\n1: " text "\n2: leaq 1b(%%rip), %0\n movq $(2b - 1b), %1" : "=r"(a.begin), "=r"(a.length)); \
    return a;                                                                                                         \
  }()

TEST(DecodeDivisionTest, FindsTheLengthThatTheAssemblerGaveIt) {
  const struct {
    Assembled instruction;
    int width;
  } rows[] = {
      {ASSEMBLED("idivq %%rcx"), 8},
      {ASSEMBLED("idivq %%r9"), 8},
      {ASSEMBLED("divl %%ecx"), 4},
      {ASSEMBLED("idivl %%r12d"), 4},
      {ASSEMBLED("idivw %%cx"), 2},
      {ASSEMBLED("divw %%r10w"), 2},
      {ASSEMBLED("divb %%cl"), 1},
      {ASSEMBLED("idivb %%sil"), 1},
      {ASSEMBLED("idivb %%ah"), 1},
      {ASSEMBLED("idivq (%%rbx)"), 8},
      {ASSEMBLED("idivq (%%rsp)"), 8},
      {ASSEMBLED("idivq (%%rbp)"), 8},
      {ASSEMBLED("idivq (%%r12)"), 8},
      {ASSEMBLED("idivq (%%r13)"), 8},
      {ASSEMBLED("idivq 8(%%rax)"), 8},
      {ASSEMBLED("idivl -8(%%rsp)"), 4},
      {ASSEMBLED("idivl 1000(%%r8)"), 4},
      {ASSEMBLED("idivw 1000(%%r12)"), 2},
      {ASSEMBLED("idivq (%%rax, %%r9, 8)"), 8},
      {ASSEMBLED("idivq 16(%%r13, %%rcx, 4)"), 8},
      {ASSEMBLED("divb 4096(%%rbx, %%rcx)"), 1},
      {ASSEMBLED("idivl (, %%rcx, 4)"), 4},
      {ASSEMBLED("idivl 64"), 4},
      {ASSEMBLED("idivq 64(%%rip)"), 8},
      {ASSEMBLED("idivl (%%ecx)"), 4},
      {ASSEMBLED("idivl %%fs:8"), 4},
      {ASSEMBLED("idivw %%gs:8(%%ecx, %%edx)"), 2},
  };
  for (const auto& row : rows) {
    const std::optional<Division> division = DecodeDivision(row.instruction.begin);
    ASSERT_TRUE(division.has_value()) << &row - rows;
    EXPECT_EQ(division->length, row.instruction.length) << &row - rows;
    EXPECT_EQ(division->width, row.width) << &row - rows;
  }
}

TEST(DecodeDivisionTest, LeavesOtherInstructionsAlone) {
  for (const Assembled& other : {ASSEMBLED("imulq %%rcx"), ASSEMBLED("mull %%ecx"), ASSEMBLED("notq (%%rax)"),
                                 ASSEMBLED("testb $1, %%cl"), ASSEMBLED("divss %%xmm1, %%xmm0"), ASSEMBLED("ret")}) {
    EXPECT_FALSE(DecodeDivision(other.begin).has_value()) << static_cast<int>(*other.begin);
  }
  const uint8_t prefixes[16] = {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};
  EXPECT_FALSE(DecodeDivision(prefixes).has_value());
}

}  // namespace
}  // namespace redoubt::infer

#endif
