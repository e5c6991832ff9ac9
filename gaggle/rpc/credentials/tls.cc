// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/credentials/tls.h"

#include <utility>

#include "gaggle/net/address.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/tls_certificate.h"
#include "gaggle/net/tls_handshake.h"

namespace gaggle {
namespace {

using Secured = Result<std::unique_ptr<ByteStream>>;

// "scores.example:443" and "[::1]:443" without port and brackets, names without their last dot.
std::string host_of(std::string_view authority) {
  std::string_view host = authority;
  std::string_view port;
  if (!split_host_port(authority, host, port)) host = authority;
  if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
  return std::string(host);
}

}  // namespace

// --- Clients ---

TlsChannelCredentials::TlsChannelCredentials(TlsChannelOptions options)
    : server_name_(std::move(options.server_name)),
      source_(
          {std::move(options.certificates), std::move(options.private_key), std::move(options.trusted)},
          [sessions = options.max_sessions](const TlsMaterial& material) {
            return TlsContext::client(material, sessions);
          },
          options.reload_interval, options.log) {}

Result<std::unique_ptr<TlsChannelCredentials>> TlsChannelCredentials::create(TlsChannelOptions options) {
  std::unique_ptr<TlsChannelCredentials> credentials(new TlsChannelCredentials(std::move(options)));
  if (Status bad = credentials->source_.load(); !bad) return bad;
  return credentials;
}

Task<Secured> TlsChannelCredentials::handshake(std::unique_ptr<ByteStream> stream, std::string authority,
                                               Context context) const {
  auto tls = source_.current(stream->loop().now());
  return tls_connect(std::move(stream), std::move(tls), host_of(server_name_.empty() ? authority : server_name_),
                     std::move(context));
}

Status TlsChannelCredentials::check_authority(const StreamSecurity* security, std::string_view authority) const {
  if (security == nullptr || !security->has_peer_certificate) {
    return Status::unavailable("the server has shown no certificate");
  }
  return check_server_name(security->peer_certificate, host_of(authority));
}

// --- Servers ---

TlsServerCredentials::TlsServerCredentials(TlsServerOptions options)
    : source_(
          {std::move(options.certificates), std::move(options.private_key), std::move(options.client_ca)},
          [clients = options.client_certificates, tickets = options.session_tickets](const TlsMaterial& material) {
            return TlsContext::server(material, clients, tickets);
          },
          options.reload_interval, options.log) {}

Result<std::unique_ptr<TlsServerCredentials>> TlsServerCredentials::create(TlsServerOptions options) {
  if (options.certificates.empty() || options.private_key.empty()) {
    return Status::invalid_argument("a TLS server needs a certificate and its private key");
  }
  const bool asks = options.client_certificates != ClientCertificates::kNone;
  if (asks == options.client_ca.empty()) {
    return Status::invalid_argument(asks ? "client certificates are asked for, but client_ca is missing"
                                         : "client_ca is given, but client_certificates says not to ask for any");
  }
  std::unique_ptr<TlsServerCredentials> credentials(new TlsServerCredentials(std::move(options)));
  if (Status bad = credentials->source_.load(); !bad) return bad;
  return credentials;
}

Task<Secured> TlsServerCredentials::handshake(std::unique_ptr<ByteStream> stream, TurnGate& gate,
                                              Context context) const {
  auto tls = source_.current(stream->loop().now());
  return tls_accept(std::move(stream), std::move(tls), gate, std::move(context));
}

}  // namespace gaggle
