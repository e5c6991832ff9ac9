// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "gaggle/base/result.h"
#include "gaggle/net/tls_sessions.h"

struct ssl_ctx_st;

namespace gaggle {

// PEM texts, as they stand in files.
struct TlsMaterial {
  std::string certificates;  // our own, the one for us first, then those that vouch for it
  std::string private_key;   // of the first certificate, not encrypted
  std::string trusted;       // certificates of those who may vouch for the peer
};

// What a server wants to see of its clients.
enum class ClientCertificates : uint8_t {
  kNone,           // nothing
  kVerifyIfGiven,  // they may come without; what they show must be good
  kRequire,        // mTLS
};

// Everything that all TLS connections of one kind have in common; immutable, shared by them.
//
// TLS 1.2 and 1.3. Of TLS 1.2, only ciphers with forward secrecy and authenticated encryption, which
// leaves none of those that RFC 9113 appendix A forbids. No compression, no renegotiation (§9.2.1), no
// early data. HTTP/2 is agreed upon by ALPN, and there is no connection without it.
class TlsContext {
 public:
  // INVALID_ARGUMENT says which of the texts is bad. Without `trusted`, the system's roots count;
  // certificate and key may both be empty. Tickets of `max_sessions` connections are kept.
  static Result<std::shared_ptr<const TlsContext>> client(const TlsMaterial& material, size_t max_sessions);
  // Certificate and key are needed; `trusted` if client certificates are.
  static Result<std::shared_ptr<const TlsContext>> server(const TlsMaterial& material,
                                                          ClientCertificates client_certificates, bool tickets);

  TlsContext(ssl_ctx_st* context, size_t max_sessions);  // takes over a reference
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  ssl_ctx_st* get() const noexcept { return context_; }
  TlsSessions& sessions() const noexcept { return sessions_; }  // of clients

 private:
  ssl_ctx_st* const context_;
  mutable TlsSessions sessions_;
};

}  // namespace gaggle
