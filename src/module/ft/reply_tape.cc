#include "module/ft/reply_tape.h"

#include <bit>

namespace redoubt::ft {
namespace {

// What there is instead of a client while the bytes are checked.
struct Nobody {
  void ReplyStatus(const char* /*text*/) {}
  void ReplyBulk(std::string_view /*text*/) {}
  void ReplyInteger(int64_t /*value*/) {}
  void ReplyDouble(double /*value*/) {}
  void ReplyArray(size_t /*size*/) {}
  void ReplyMap(size_t /*size*/) {}
};

}  // namespace

template <class Sink>
base::Status ReplyTape::Read(std::string_view bytes, Sink&& sink) {
  constexpr uint64_t kLargest = 1 << 20;
  cluster::WireReader in(bytes);
  for (uint64_t missing = 1; missing > 0; --missing) {
    ASSIGN_OR_RETURN(uint8_t kind, in.Byte());
    if (static_cast<Kind>(kind) == Kind::kStatus || static_cast<Kind>(kind) == Kind::kBulk) {
      ASSIGN_OR_RETURN(std::string_view text, in.Text());
      static_cast<Kind>(kind) == Kind::kBulk ? sink.ReplyBulk(text) : sink.ReplyStatus(std::string(text).c_str());
      continue;
    }
    ASSIGN_OR_RETURN(uint64_t number, in.Number());
    const bool is_array = static_cast<Kind>(kind) == Kind::kArray;
    if (is_array || static_cast<Kind>(kind) == Kind::kMap) {
      if (number > kLargest) return base::DataLoss("a message of another node has too large a reply");
      missing += is_array ? number : 2 * number;
      is_array ? sink.ReplyArray(number) : sink.ReplyMap(number);
    } else if (static_cast<Kind>(kind) == Kind::kInteger) {
      sink.ReplyInteger(static_cast<int64_t>(number));
    } else if (static_cast<Kind>(kind) == Kind::kDouble) {
      sink.ReplyDouble(std::bit_cast<double>(number));
    } else {
      return base::DataLoss("a message of another node has a reply of an unknown kind");
    }
  }
  return in.rest().empty() ? base::OkStatus() : base::DataLoss("a message of another node goes on after its end");
}

base::Status ReplyTape::Check(std::string_view bytes) { return Read(bytes, Nobody()); }

void ReplyTape::Play(std::string_view bytes, host::Context& ctx) { (void)Read(bytes, ctx); }

}  // namespace redoubt::ft
