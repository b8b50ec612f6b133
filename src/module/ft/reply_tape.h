#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "module/cluster/wire.h"
#include "module/host/context.h"

namespace redoubt::ft {

// Replies that are written down, to be given later, perhaps by another node. The methods are those of host::Context.
// One thread.
class ReplyTape {
 public:
  // `resp3`: of the client that gets them.
  explicit ReplyTape(bool resp3) : resp3_(resp3) {}

  bool Resp3() const { return resp3_; }
  void ReplyStatus(std::string_view text) { Write(Kind::kStatus).Text(text); }
  void ReplyBulk(std::string_view text) { Write(Kind::kBulk).Text(text); }
  void ReplyInteger(int64_t value) { Write(Kind::kInteger).Number(static_cast<uint64_t>(value)); }
  void ReplyDouble(double value) { Write(Kind::kDouble).Double(value); }
  void ReplyArray(size_t size) { Write(Kind::kArray).Number(size); }
  void ReplyMap(size_t size) { Write(Kind::kMap).Number(size); }
  std::string Take() { return bytes_.Take(); }

  // Whether these are the bytes of one whole reply. Only such may be played.
  static base::Status Check(std::string_view bytes);
  static void Play(std::string_view bytes, host::Context& ctx);

 private:
  enum class Kind : uint8_t { kStatus = 1, kBulk = 2, kInteger = 3, kDouble = 4, kArray = 5, kMap = 6 };

  cluster::WireWriter& Write(Kind kind) {
    bytes_.Byte(static_cast<uint8_t>(kind));
    return bytes_;
  }
  template <class Sink>
  static base::Status Read(std::string_view bytes, Sink&& sink);

  const bool resp3_;
  cluster::WireWriter bytes_;
};

}  // namespace redoubt::ft
