#include "resp/tls.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace redoubt::resp {

using base::FailedPrecondition;
using base::InvalidArgument;
using base::Result;
using base::Status;

namespace {

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, ContextDeleter>;
struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioDeleter>;
struct CertificateDeleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using CertificatePtr = std::unique_ptr<X509, CertificateDeleter>;
struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyDeleter>;

std::string OpenSslReason() {
  unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "no reason given" : reason;
}

bool IsPemText(const std::string& text) { return text.find("-----BEGIN") != std::string::npos; }

// A PEM text or the PEM file of that name.
BioPtr OpenPem(const std::string& pem) {
  if (IsPemText(pem)) return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return BioPtr(BIO_new_file(pem.c_str(), "r"));
}

// A key that asks for a passphrase must fail, not read from the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

Status LoadAuthoritiesFromText(SSL_CTX* context, const std::string& pem) {
  BioPtr bio = OpenPem(pem);
  size_t count = 0;
  while (CertificatePtr certificate{PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr)}) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
    ++count;
  }
  ERR_clear_error();  // the end of the text counts as an error
  return count > 0 ? base::OkStatus() : InvalidArgument("tls.ca holds no readable certificate (PEM)");
}

Status LoadAuthorities(SSL_CTX* context, const std::string& ca) {
  if (ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return base::OkStatus();
  }
  if (IsPemText(ca)) return LoadAuthoritiesFromText(context, ca);
  struct stat info {};
  bool folder = stat(ca.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  int loaded = folder ? SSL_CTX_load_verify_dir(context, ca.c_str()) : SSL_CTX_load_verify_file(context, ca.c_str());
  if (loaded == 1) return base::OkStatus();
  return InvalidArgument(fmt::format("tls.ca '{}' cannot be read as PEM certificates: {}", ca, OpenSslReason()));
}

Status LoadClientCertificate(SSL_CTX* context, const TlsOptions& options) {
  if (options.cert.empty()) return base::OkStatus();
  BioPtr cert_bio = OpenPem(options.cert);
  CertificatePtr leaf(cert_bio ? PEM_read_bio_X509(cert_bio.get(), nullptr, NoPassphrase, nullptr) : nullptr);
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return InvalidArgument(fmt::format("tls.cert cannot be read as a PEM certificate: {}", OpenSslReason()));
  }
  while (X509* issuer = PEM_read_bio_X509(cert_bio.get(), nullptr, NoPassphrase, nullptr)) {
    if (SSL_CTX_add_extra_chain_cert(context, issuer) != 1) X509_free(issuer);  // else the context owns it
  }
  ERR_clear_error();
  BioPtr key_bio = OpenPem(options.key);
  KeyPtr key(key_bio ? PEM_read_bio_PrivateKey(key_bio.get(), nullptr, NoPassphrase, nullptr) : nullptr);
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return InvalidArgument(
        fmt::format("tls.key cannot be read as the certificate's PEM key without a passphrase: {}", OpenSslReason()));
  }
  return base::OkStatus();
}

Status SetUpNameCheck(SSL* ssl, const std::string& name, bool verify) {
  unsigned char address[sizeof(in6_addr)];
  bool is_address = inet_pton(AF_INET, name.c_str(), address) == 1 || inet_pton(AF_INET6, name.c_str(), address) == 1;
  if (!is_address) SSL_set_tlsext_host_name(ssl, name.c_str());
  if (!verify) return base::OkStatus();
  int set =
      is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) : SSL_set1_host(ssl, name.c_str());
  return set == 1 ? base::OkStatus() : InvalidArgument(fmt::format("tls.server_name '{}' is no valid name", name));
}

}  // namespace

int64_t NowMicros() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

bool WaitFor(int fd, short events, int64_t deadline_us) {
  for (;;) {
    int64_t left_us = deadline_us - NowMicros();
    if (left_us <= 0) return false;
    pollfd entry{fd, events, 0};
    int ready = poll(&entry, 1, static_cast<int>(std::min<int64_t>((left_us + 999) / 1000, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // the read or write that follows reports it
  }
}

Result<SslPtr> MakeTls(const std::string& host, const TlsOptions& options) {
  ContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) return base::ResourceExhausted("no memory for TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  bool verify = !options.insecure_skip_verify;
  SSL_CTX_set_verify(context.get(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (verify) RETURN_IF_ERROR(LoadAuthorities(context.get(), options.ca));
  RETURN_IF_ERROR(LoadClientCertificate(context.get(), options));

  SslPtr ssl(SSL_new(context.get()));
  if (!ssl) return base::ResourceExhausted("no memory for TLS");
  const std::string& name = options.server_name.empty() ? host : options.server_name;
  RETURN_IF_ERROR(SetUpNameCheck(ssl.get(), name, verify));
  return ssl;
}

Status TlsFailure(SSL* ssl, const std::string& name, const std::string& reason) {
  long verdict = SSL_get_verify_result(ssl);
  if (verdict == X509_V_OK) return FailedPrecondition(fmt::format("TLS handshake failed: {}", reason));
  return FailedPrecondition(fmt::format("the server's certificate was not accepted for '{}': {}", name,
                                        X509_verify_cert_error_string(verdict)));
}

Status TlsHandshake(SSL* ssl, int fd, const std::string& name, int64_t deadline_us) {
  for (;;) {
    ERR_clear_error();
    int done = SSL_connect(ssl);
    if (done == 1) return base::OkStatus();
    int error = SSL_get_error(ssl, done);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      if (WaitFor(fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline_us)) continue;
      return base::DeadlineExceeded("the TLS handshake did not finish in time");
    }
    bool closed = error == SSL_ERROR_SYSCALL || ERR_peek_last_error() == 0;
    return TlsFailure(
        ssl, name,
        closed ? "the server closed the connection during the handshake; it may not speak TLS" : OpenSslReason());
  }
}

}  // namespace redoubt::resp
