#pragma once

#include <atomic>
#include <cstdint>

namespace redoubt::vector {

// Tells when everybody has left who could have seen something (epoch-based reclamation, Fraser 2004).
// An operation holds a ticket while it reads shared things. Safe on many threads.
class Epochs {
 public:
  struct alignas(64) Ticket {  // a line of its own: it is written by each operation
    std::atomic<uint64_t> since{kIdle};
  };

  void Enter(Ticket& ticket) const { ticket.since.exchange(now_.load()); }
  static void Leave(Ticket& ticket) { ticket.since.store(kIdle, std::memory_order_release); }

  // A time after everything done so far.
  uint64_t Advance() { return now_.fetch_add(1) + 1; }

  // Whether the operation, if there is one, began at `time` or later.
  static bool Began(const Ticket& ticket, uint64_t time) { return ticket.since.load() >= time; }

 private:
  static constexpr uint64_t kIdle = UINT64_MAX;

  std::atomic<uint64_t> now_{0};
};

}  // namespace redoubt::vector
