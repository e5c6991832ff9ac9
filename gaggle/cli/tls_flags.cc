// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/tls_flags.h"

#include <CLI/CLI.hpp>

namespace gaggle::cli {

void TlsFlags::add_to(CLI::App& command) {
  command.add_flag("--tls", tls, "Speak TLS, and trust whom the system trusts; the flags below imply it");
  command.add_option("--tls-ca", ca, "Certificates of those who may vouch for the server")->type_name("FILE");
  command.add_option("--tls-cert", certificate, "This client's certificate, for servers that ask for one")
      ->type_name("FILE");
  command.add_option("--tls-key", key, "The certificate's private key")->type_name("FILE");
}

Result<std::unique_ptr<TlsChannelCredentials>> TlsFlags::credentials() const {
  if (!tls && ca.empty() && certificate.empty() && key.empty()) return std::unique_ptr<TlsChannelCredentials>();
  if (certificate.empty() != key.empty()) {
    return Status::invalid_argument("--tls-cert and --tls-key go together");
  }
  return TlsChannelCredentials::create(
      {.trusted = {.file = ca}, .certificates = {.file = certificate}, .private_key = {.file = key}});
}

void NodeTlsFlags::add_to(CLI::App& command) {
  command
      .add_option("--tls-cert", certificate,
                  "This node's certificate, then those that vouch for it: the node speaks TLS, and nothing else, to "
                  "clients and to the other nodes. It needs the name in --self. Read again when it changes, and at "
                  "SIGHUP")
      ->type_name("FILE");
  command.add_option("--tls-key", key, "The certificate's private key")->type_name("FILE");
  command
      .add_option("--tls-client-ca", client_ca,
                  "Clients and other nodes must show a certificate for which one of these vouches")
      ->type_name("FILE");
  command
      .add_option("--tls-ca", ca,
                  "Certificates of those who may vouch for the other nodes. Default: whom the system trusts")
      ->type_name("FILE");
}

Status NodeTlsFlags::check() const {
  if (certificate.empty() != key.empty()) {
    return Status::invalid_argument("--tls-cert and --tls-key go together");
  }
  if (!given() && (!client_ca.empty() || !ca.empty())) {
    return Status::invalid_argument("--tls-client-ca and --tls-ca need --tls-cert and --tls-key");
  }
  return {};
}

Result<std::unique_ptr<TlsServerCredentials>> NodeTlsFlags::server(Log log) const {
  return TlsServerCredentials::create(
      {.certificates = {.file = certificate},
       .private_key = {.file = key},
       .client_ca = {.file = client_ca},
       .client_certificates = client_ca.empty() ? ClientCertificates::kNone : ClientCertificates::kRequire,
       .log = log});
}

Result<std::unique_ptr<TlsChannelCredentials>> NodeTlsFlags::peers(Log log) const {
  return TlsChannelCredentials::create(
      {.trusted = {.file = ca}, .certificates = {.file = certificate}, .private_key = {.file = key}, .log = log});
}

}  // namespace gaggle::cli
