#include "infer/division_watch.h"

#include <ucontext.h>

#include <csignal>
#include <list>
#include <mutex>

#include "infer/worker_threads.h"

namespace redoubt::infer {
namespace {

std::atomic<int> g_watches = 0;
// Traps on threads without a watch of their own.
std::atomic<uint64_t> g_shared_traps = 0;
thread_local DivisionWatch* t_watch = nullptr;

#if defined(__x86_64__)

// Who handled SIGFPE before OnTrap; null before the first watch.
std::atomic<const struct sigaction*> g_before = nullptr;

// Quotient and remainder become 0, which of all numbers does the least harm as a size or an index.
bool StepOver(mcontext_t& machine) {
  greg_t* registers = machine.gregs;
  const std::optional<Division> division = DecodeDivision(reinterpret_cast<const uint8_t*>(registers[REG_RIP]));
  if (!division) return false;
  constexpr greg_t kLow16 = 0xffff;
  if (division->width == 1) {
    registers[REG_RAX] &= ~kLow16;  // AL and AH
  } else if (division->width == 2) {
    registers[REG_RAX] &= ~kLow16;
    registers[REG_RDX] &= ~kLow16;
  } else {
    registers[REG_RAX] = 0;
    registers[REG_RDX] = 0;
  }
  registers[REG_RIP] += static_cast<greg_t>(division->length);
  return true;
}

void PassOn(int signal, siginfo_t* info, void* context) {
  const struct sigaction& before = *g_before.load();
  const bool is_function =
      (before.sa_flags & SA_SIGINFO) != 0 || (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN);
  if (!is_function || (before.sa_flags & SA_RESETHAND) != 0) {
    struct sigaction standard {};
    standard.sa_handler = is_function ? SIG_DFL : before.sa_handler;
    sigaction(signal, &standard, nullptr);
  }
  if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(signal, info, context);
  if (is_function) return before.sa_handler(signal);
  // An instruction that traps comes again by itself.
  if (info->si_code <= 0) raise(signal);
}

// A division traps in the middle of a vendor's arithmetic, never inside of malloc or with a lock of ours held: what is
// called here need not fear to interrupt itself.
void OnTrap(int signal, siginfo_t* info, void* context) {
  if (info->si_code != FPE_INTDIV) return PassOn(signal, info, context);
  auto* place = static_cast<ucontext_t*>(context);
  const bool is_ours = t_watch != nullptr || (g_watches.load() > 0 && IsWorkerMask(place->uc_sigmask));
  if (!is_ours || !StepOver(place->uc_mcontext)) return PassOn(signal, info, context);
  if (t_watch != nullptr) {
    t_watch->CountTrap();
  } else {
    g_shared_traps.fetch_add(1);
  }
}

bool IsOnTrap(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == &OnTrap;
}

// Before every watch: the server sets its handlers anew when an operator changes crash-log-enabled.
void HandleTraps() {
  struct sigaction now {};
  sigaction(SIGFPE, nullptr, &now);
  if (IsOnTrap(now)) return;
  static std::mutex mu;
  static auto* kept = new std::list<struct sigaction>;  // for good: a handler may be reading the last one
  std::lock_guard lock(mu);
  sigaction(SIGFPE, nullptr, &now);
  if (IsOnTrap(now)) return;
  g_before = &kept->emplace_back(now);
  struct sigaction ours {};
  ours.sa_sigaction = &OnTrap;
  ours.sa_mask = now.sa_mask;
  ours.sa_flags = SA_SIGINFO | SA_NODEFER | (now.sa_flags & SA_ONSTACK);
  sigaction(SIGFPE, &ours, nullptr);
}

#else

void HandleTraps() {}

#endif

bool IsPrefix(uint8_t byte) {
  constexpr uint8_t kPrefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3};
  for (uint8_t prefix : kPrefixes) {
    if (byte == prefix) return true;
  }
  return false;
}

}  // namespace

// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2 and "DIV", "IDIV".
std::optional<Division> DecodeDivision(const uint8_t* instruction) {
  constexpr size_t kLongest = 15;
  const uint8_t* next = instruction;
  bool narrow = false;
  for (; IsPrefix(*next); ++next) {
    if (next == instruction + kLongest) return std::nullopt;
    narrow = narrow || *next == 0x66;
  }
  const bool has_rex = (*next & 0xf0) == 0x40;
  const bool wide = has_rex && (*next & 0x08) != 0;
  if (has_rex) ++next;
  const uint8_t opcode = *next++;
  if (opcode != 0xf6 && opcode != 0xf7) return std::nullopt;
  const uint8_t mod_rm = *next++;
  const int mode = mod_rm >> 6;
  const int operation = mod_rm >> 3 & 7;
  if (operation != 6 && operation != 7) return std::nullopt;  // DIV, IDIV
  if (mode != 3) {                                            // the divisor lies in memory
    int base = mod_rm & 7;
    if (base == 4) base = *next++ & 7;  // SIB
    const bool has_32_bit_offset = mode == 2 || (mode == 0 && base == 5);
    next += has_32_bit_offset ? 4 : mode;  // mode 1: 8 bit
  }
  Division division{};
  division.length = static_cast<size_t>(next - instruction);
  division.width = opcode == 0xf6 ? 1 : wide ? 8 : narrow ? 2 : 4;
  return division;
}

DivisionWatch::DivisionWatch() : outer_(t_watch), shared_traps_before_(g_shared_traps) {
  HandleTraps();
  t_watch = this;
  g_watches.fetch_add(1);
}

DivisionWatch::~DivisionWatch() {
  g_watches.fetch_sub(1);
  t_watch = outer_;
}

base::Status DivisionWatch::Outcome() const {
  if (traps_.load() > 0) {
    return base::FailedPrecondition("integer division by zero, or of the smallest number by -1");
  }
  if (g_shared_traps.load() != shared_traps_before_) {
    return base::FailedPrecondition(
        "integer division by zero, or of the smallest number by -1, in a thread that this run shares with others");
  }
  return base::OkStatus();
}

}  // namespace redoubt::infer
