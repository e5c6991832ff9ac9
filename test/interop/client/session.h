// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "client/flags.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/credentials/credentials.h"
#include "grpc/testing/test.gaggle.h"

namespace gaggle::interop {

// What a case works with: the flags and one connection to the server.
class Session {
 public:
  static Result<std::unique_ptr<Session>> create(const Flags& flags);

  grpc::testing::TestServiceClient tests() { return grpc::testing::TestServiceClient(*conn_); }
  ClientConn& conn() { return *conn_; }
  Loop& loop() { return loops_.loop(0); }
  const Flags& flags() const { return flags_; }
  // A deadline for one case, so that a server that never answers is a failure and no hang.
  Context context() const;

  // Another connection to the same server.
  Result<std::unique_ptr<ClientConn>> connect();

 private:
  explicit Session(const Flags& flags) : flags_(flags) {}

  const Flags& flags_;
  std::unique_ptr<ChannelCredentials> tls_;  // null: plain text
  LoopGroup loops_{1};
  std::unique_ptr<ClientConn> conn_;
};

}  // namespace gaggle::interop
