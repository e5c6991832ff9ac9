// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "gaggle/base/result.h"
#include "gaggle/cli/tls_flags.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"

namespace gaggle::cli {

// What `get` and `stats` have in common: a loop, a connection, a deadline.
class Client {
 public:
  // INVALID_ARGUMENT for what is no "host:port", a bad timeout, or bad TLS files.
  static Result<std::unique_ptr<Client>> create(const std::string& server, const std::string& timeout,
                                                const TlsFlags& tls);

  ClientConn& conn() noexcept { return *conn_; }
  const Context& context() const noexcept { return context_; }

 private:
  Client() : loops_(1) {}
  LoopGroup loops_;
  std::unique_ptr<TlsChannelCredentials> tls_;  // null: plain text
  std::unique_ptr<ClientConn> conn_;
  Context context_;
};

}  // namespace gaggle::cli
