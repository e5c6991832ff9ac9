// SPDX-License-Identifier: Apache-2.0
#include "client/session.h"

#include <chrono>
#include <string>

#include "gaggle/rpc/credentials/credentials.h"

namespace gaggle::interop {

Result<std::unique_ptr<Session>> Session::create(const Flags& flags) {
  std::unique_ptr<Session> session(new Session(flags));
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
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.authority = flags_.server_host_override;
  const std::string target = !flags_.target.empty()
                                 ? flags_.target
                                 : "dns:///" + flags_.server_host + ":" + std::to_string(flags_.server_port);
  return ClientConn::create(loops_, target, options);
}

}  // namespace gaggle::interop
