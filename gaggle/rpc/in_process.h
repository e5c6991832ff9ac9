// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gaggle/base/result.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/client_conn_interface.h"
#include "gaggle/rpc/server.h"
#include "gaggle/rpc/service.h"

namespace gaggle {

class LoopGroup;

// How an in-process connection behaves; what both sides would be told. A value.
struct InProcessOptions {
  ClientConnOptions client = {};  // its credentials are replaced: bytes never leave the process
  ServerOptions server = {};
};

// Client and server in one object, without sockets: for tests, and for programs that are their own
// client. Calls go through the same code as over a network, HTTP/2 included, in memory; deadlines,
// cancellation, metadata, statuses, limits and streams mean what they mean there.
//
// Register services, then call; the first call starts the server side, after which registration is
// refused. Everything runs on one of `loops`, which outlive it. Threads: any. Destruction ends all
// calls as ClientConn's does, then stops the server side.
//
//   auto conn = InProcessConn::create(loops);
//   RegisterScoresServer(**conn, scores);
//   ScoresClient client{**conn};
class InProcessConn : public ClientConnInterface, public ServiceRegistrar {
 public:
  // INVALID_ARGUMENT for options out of range.
  static Result<std::unique_ptr<InProcessConn>> create(LoopGroup& loops, InProcessOptions options = {});

  // The two sides, for their counters and the rest of what they can do.
  virtual ClientConn& client() noexcept = 0;
  virtual Server& server() noexcept = 0;
};

}  // namespace gaggle
