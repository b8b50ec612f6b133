#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "module/host/acl.h"
#include "module/host/api.h"
#include "module/host/context.h"

namespace redoubt::host {

// A reply of RM_Call; freed at the end. Main thread only.
class CallReply {
 public:
  explicit CallReply(RedisModuleCallReply* reply) : reply_(reply) {}
  ~CallReply() {
    if (reply_ != nullptr) RedisModule_FreeCallReply(reply_);
  }
  CallReply(CallReply&& other) noexcept : reply_(std::exchange(other.reply_, nullptr)) {}
  CallReply& operator=(CallReply&& other) noexcept {
    std::swap(reply_, other.reply_);
    return *this;
  }
  RedisModuleCallReply* raw() const { return reply_; }

 private:
  RedisModuleCallReply* reply_;
};

// Runs a command for a caller of a while ago, with that caller's rights as they are now and under the rules of scripts:
// nothing that a script may not do, no write to a replica, beyond maxmemory or while writes are paused. What it changes
// is replicated. `read_only`: nothing that may write, either. A refusal or an error reply is a status with the server's
// words ("NOPERM ...", "WRONGTYPE ...").
base::Result<CallReply> CallFor(const Caller& caller, Context& effects, std::span<const std::string_view> words,
                                bool read_only = false);

// Whether the caller may run this command now, on these keys. The words must be enough of them: PermissionDenied with
// the server's words, NotFound for an unknown command, InvalidArgument for too few or too many words.
base::Status CheckCommand(const Caller& caller, Context& effects, std::span<const std::string_view> words);

}  // namespace redoubt::host
