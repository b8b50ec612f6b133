#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace redoubt::base {

// What kind of failure a Status carries; callers branch on it, people read the message.
enum class StatusCode {
  kOk,
  kInvalidArgument,     // the caller's input is wrong, whatever the state of the system
  kNotFound,            // the named thing does not exist
  kAlreadyExists,       // the named thing exists and was not to be replaced
  kFailedPrecondition,  // right input, wrong state: the message says which state is needed
  kPermissionDenied,    // known caller, not allowed
  kUnauthenticated,     // unknown caller or wrong credentials
  kResourceExhausted,   // memory, queue or size limit
  kUnavailable,         // a peer cannot be reached; trying again may help
  kDeadlineExceeded,    // the time given ran out
  kDataLoss,            // stored bytes are damaged
  kUnimplemented,       // known, not offered here
  kCancelled,           // stopped on purpose
  kInternal,            // our own mistake
};

// "invalid_argument", ...: stable words for logs and API error codes.
std::string_view StatusCodeName(StatusCode code);

// The outcome of an operation without a value. The message names the thing and the fix.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // "not_found: no model 'm'", for logs.
  std::string ToString() const;

  friend bool operator==(const Status&, const Status&) = default;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

Status OkStatus();
Status InvalidArgument(std::string message);
Status NotFound(std::string message);
Status AlreadyExists(std::string message);
Status FailedPrecondition(std::string message);
Status PermissionDenied(std::string message);
Status Unauthenticated(std::string message);
Status ResourceExhausted(std::string message);
Status Unavailable(std::string message);
Status DeadlineExceeded(std::string message);
Status DataLoss(std::string message);
Status Unimplemented(std::string message);
Status Cancelled(std::string message);
Status Internal(std::string message);

}  // namespace redoubt::base

// Leaves the function with the error of `expr`, which yields a Status.
#define RETURN_IF_ERROR(expr)                                 \
  do {                                                        \
    if (auto redoubt_status = (expr); !redoubt_status.ok()) { \
      return redoubt_status;                                  \
    }                                                         \
  } while (false)
