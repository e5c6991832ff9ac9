// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "gaggle/base/log.h"
#include "gaggle/base/result.h"
#include "gaggle/rpc/credentials/tls.h"

namespace CLI {
class App;
}

namespace gaggle::cli {

// How a command connects: --tls, --tls-ca, --tls-cert, --tls-key. Any of them means TLS; none, plain
// text.
struct TlsFlags {
  bool tls = false;
  std::string ca;
  std::string certificate;
  std::string key;

  void add_to(CLI::App& command);
  // Null for plain text. INVALID_ARGUMENT or NOT_FOUND says which file is bad.
  Result<std::unique_ptr<TlsChannelCredentials>> credentials() const;
};

// How a node is reached, and how it reaches the others: --tls-cert and --tls-key make it speak TLS to
// everybody, --tls-client-ca asks everybody for a certificate, --tls-ca says who vouches for the other
// nodes.
struct NodeTlsFlags {
  std::string certificate;
  std::string key;
  std::string client_ca;
  std::string ca;

  void add_to(CLI::App& command);
  bool given() const noexcept { return !certificate.empty(); }
  // What clients and other nodes meet. Only when given().
  Result<std::unique_ptr<TlsServerCredentials>> server(Log log) const;
  // How other nodes are reached; this node shows them its own certificate. Only when given().
  Result<std::unique_ptr<TlsChannelCredentials>> peers(Log log) const;
  // INVALID_ARGUMENT for flags that don't make sense together.
  Status check() const;
};

}  // namespace gaggle::cli
