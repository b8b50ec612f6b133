#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "resp/connect_options.h"

namespace redoubt::resp {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

// A client's TLS 1.2 or later, not yet connected; certificate and name will be checked unless the options say
// otherwise. InvalidArgument when ca, cert, key or server_name cannot be used.
base::Result<SslPtr> MakeTls(const std::string& host, const TlsOptions& options);

// Shakes hands over the connected, non-blocking socket `fd` that `ssl` was given. `deadline_us` is on the clock of
// NowMicros(). DeadlineExceeded, else FailedPrecondition with OpenSSL's and the certificate's reason.
base::Status TlsHandshake(SSL* ssl, int fd, const std::string& name, int64_t deadline_us);

// The words for a handshake that failed: the verdict on the certificate when there is one, else `reason`.
base::Status TlsFailure(SSL* ssl, const std::string& name, const std::string& reason);

int64_t NowMicros();  // steady clock
// Waits for poll(2) `events`; false at the deadline.
bool WaitFor(int fd, short events, int64_t deadline_us);

}  // namespace redoubt::resp
