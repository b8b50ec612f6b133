#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/status.h"

namespace redoubt::infer {

// Lives around a call into a vendor's library, on the calling thread; they nest.
//
// An x86 processor traps when an integer is divided by zero, and when the quotient does not fit (the smallest number by
// -1). Vendors leave some of these divisions to the processor, and the trap, SIGFPE, ends the server: numbers that a
// client sends would be enough. Other processors give a number and go on. While a watch exists, a trap of the calling
// thread, or of a thread that a vendor has started, gives 0, the program goes on behind the division, and Outcome()
// tells of it, so that no result of it is used. Every other SIGFPE goes to whoever handled it before, the server's
// crash report above all. Without work, and always content, where the processor does not trap.
class DivisionWatch {
 public:
  DivisionWatch();
  ~DivisionWatch();
  DivisionWatch(const DivisionWatch&) = delete;
  DivisionWatch& operator=(const DivisionWatch&) = delete;

  // FailedPrecondition when a division trapped since the watch began: on this thread, or on one that the runs of a
  // vendor share, where nobody can tell which run it was.
  base::Status Outcome() const;

  // For the signal's handler.
  void CountTrap() { traps_.fetch_add(1, std::memory_order_relaxed); }

 private:
  DivisionWatch* outer_;
  std::atomic<uint64_t> traps_ = 0;
  const uint64_t shared_traps_before_;
};

// The instruction DIV or IDIV of x86-64.
struct Division {
  size_t length;  // of the instruction, in bytes
  int width;      // of the divisor, in bytes: 1, 2, 4, 8
};

// Null when the instruction is another one. Reads no byte behind it.
std::optional<Division> DecodeDivision(const uint8_t* instruction);

}  // namespace redoubt::infer
