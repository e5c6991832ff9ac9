// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "gaggle/base/clock.h"
#include "gaggle/base/log.h"
#include "gaggle/base/result.h"
#include "gaggle/rpc/credentials/credentials.h"
#include "gaggle/rpc/credentials/server_credentials.h"
#include "gaggle/rpc/credentials/tls_source.h"

namespace gaggle {

// Whom a client trusts, and who it is. All optional: the default trusts whom the system trusts.
struct TlsChannelOptions {
  PemSource trusted = {};       // CA certificates; none: the system's
  PemSource certificates = {};  // for mTLS: the client's own, then those that vouch for it
  PemSource private_key = {};   // of the first of them
  // The name that servers have to prove, in place of the connection's authority.
  std::string server_name = {};
  // How often files are looked at, at most; zero: only when reload() is called.
  Duration reload_interval = std::chrono::seconds{10};
  // Tickets of earlier connections that are kept, to resume them; zero: none.
  size_t max_sessions = 64;
  Log log = {};
};

// TLS for clients: ClientConnOptions::credentials. grpc++'s SslCredentials, grpc-go's NewTLS.
//
// TLS 1.2 or 1.3 with HTTP/2 agreed upon by ALPN. The server's certificate has to be valid, vouched for,
// and for the server's name: a DNS name or IP address among its subject alternative names, the common
// name doesn't count. Certificates and keys are read again while the program runs: see TlsSource. New
// connections use them, those that are open stay.
//
//   auto tls = TlsChannelCredentials::create({.trusted = {.file = "ca.pem"}});
//   auto conn = ClientConn::create(loops, "dns:///scores.example:443", {.credentials = tls->get()});
class TlsChannelCredentials final : public ChannelCredentials {
 public:
  // INVALID_ARGUMENT or NOT_FOUND says which text or file is bad.
  static Result<std::unique_ptr<TlsChannelCredentials>> create(TlsChannelOptions options = {});

  // Looks at the files now, for SIGHUP and the like. The error, if they can't be used; then the old
  // ones stay. Any thread; blocks while it reads.
  Status reload() const { return source_.reload(); }
  TlsCounters counters() const { return source_.counters(); }

  SecurityLevel security_level() const noexcept override { return SecurityLevel::kPrivacyAndIntegrity; }
  std::string_view scheme() const noexcept override { return "https"; }
  std::string_view server_name() const noexcept override { return server_name_; }
  Task<Result<std::unique_ptr<ByteStream>>> handshake(std::unique_ptr<ByteStream> stream, std::string authority,
                                                      Context context) const override;
  // By the certificate that the server has shown, as in the handshake.
  Status check_authority(const StreamSecurity* security, std::string_view authority) const override;

 private:
  explicit TlsChannelCredentials(TlsChannelOptions options);

  const std::string server_name_;
  mutable TlsSource source_;
};

// Who a server is, and whom it lets in.
struct TlsServerOptions {
  PemSource certificates = {};  // needed: the server's own, then those that vouch for it
  PemSource private_key = {};   // needed: of the first of them
  // With the last two: mTLS. Clients have to show a certificate for which one of `client_ca` vouches.
  PemSource client_ca = {};
  ClientCertificates client_certificates = ClientCertificates::kNone;
  // Clients may resume earlier connections, by tickets that only this object's certificates can open.
  bool session_tickets = true;
  // How often files are looked at, at most; zero: only when reload() is called.
  Duration reload_interval = std::chrono::seconds{10};
  Log log = {};
};

// TLS for servers: Server::listen(address, credentials). grpc++'s SslServerCredentials, grpc-go's
// NewServerTLSFromFile; unlike there, files are read again while the server runs.
//
// TLS 1.2 or 1.3; clients that don't offer h2 by ALPN are refused. Handlers see who came in
// ServerContext::peer().security.
//
//   auto tls = TlsServerCredentials::create({.certificates = {.file = "cert.pem"},
//                                            .private_key = {.file = "key.pem"}});
//   auto port = server->listen("0.0.0.0:443", **tls);
class TlsServerCredentials final : public ServerCredentials {
 public:
  // INVALID_ARGUMENT or NOT_FOUND says which text or file is bad.
  static Result<std::unique_ptr<TlsServerCredentials>> create(TlsServerOptions options);

  Status reload() const { return source_.reload(); }  // as for clients
  TlsCounters counters() const { return source_.counters(); }

  Task<Result<std::unique_ptr<ByteStream>>> handshake(std::unique_ptr<ByteStream> stream, TurnGate& gate,
                                                      Context context) const override;

 private:
  explicit TlsServerCredentials(TlsServerOptions options);

  mutable TlsSource source_;
};

}  // namespace gaggle
