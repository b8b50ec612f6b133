#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace redoubt::base {

// A gate between threads that change a structure in memory and a moment at which nothing may be changed half-way: a
// fork, after which the child reads the structure and no other thread goes on, or a save without one. A change holds a
// Pass; Close() waits for those that are under way and keeps new ones out.
// Any thread. A thread with a Pass must not take a second one, nor close the gate.
class ForkGate {
 public:
  // One change, well below a millisecond. Without a gate it is nothing.
  class Pass {
   public:
    explicit Pass(ForkGate* gate) : gate_(gate) {
      if (gate_ != nullptr) gate_->Enter();
    }
    ~Pass() {
      if (gate_ != nullptr) gate_->Leave();
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    ForkGate* const gate_;
  };

  class Closed {
   public:
    explicit Closed(ForkGate& gate) : gate_(gate) { gate_.Close(); }
    ~Closed() { gate_.Open(); }
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

   private:
    ForkGate& gate_;
  };

  // Around fork(): Close() before it, Open() after it by the same thread, in the parent and in the child.
  void Close();
  void Open();

 private:
  static constexpr uint32_t kClosed = uint32_t{1} << 31;

  void Enter();
  void Leave();

  std::mutex closers_;               // held while closed
  std::atomic<uint32_t> state_ = 0;  // the passes; kClosed
};

}  // namespace redoubt::base
