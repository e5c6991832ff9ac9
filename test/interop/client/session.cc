// SPDX-License-Identifier: Apache-2.0
#include "client/session.h"

#include <chrono>
#include <string>

#include "gaggle/rpc/credentials/credentials.h"
#include "gaggle/rpc/credentials/tls.h"

namespace gaggle::interop {

Result<std::unique_ptr<Session>> Session::create(const Flags& flags) {
  std::unique_ptr<Session> session(new Session(flags));
  if (flags.use_tls) {
    TlsChannelOptions options;
    if (flags.use_test_ca || !flags.ca_file.empty()) options.trusted.file = flags.ca_file;
    Result<std::unique_ptr<TlsChannelCredentials>> tls = TlsChannelCredentials::create(std::move(options));
    if (!tls) return tls.error();
    session->tls_ = *std::move(tls);
  }
  Result<std::unique_ptr<ClientConn>> conn = session->connect();
  if (!conn) return conn.error();
  session->conn_ = *std::move(conn);
  return session;
}

Context Session::context() const {
  return Context().with_timeout(
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(flags_.timeout_seconds)));
}

Result<std::unique_ptr<ClientConn>> Session::connect() {
  ClientConnOptions options{.credentials = tls_ != nullptr ? tls_.get() : insecure_credentials()};
  options.authority = flags_.server_host_override;
  const std::string target = !flags_.target.empty()
                                 ? flags_.target
                                 : "dns:///" + flags_.server_host + ":" + std::to_string(flags_.server_port);
  return ClientConn::create(loops_, target, options);
}

}  // namespace gaggle::interop
