// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "calls_testing.h"
#include "gaggle/net/block_on.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/server.h"

// A server with all four kinds of method and a client of it, over real sockets.

namespace gaggle::e2e {

struct World {
  LoopGroup server_loops{2};
  LoopGroup client_loops{1};
  Calls calls;
  std::unique_ptr<Server> server;
  std::unique_ptr<ClientConn> conn;
  std::string address;

  explicit World(std::string_view listen = "127.0.0.1:0") {
    start_server(listen);
    conn = std::move(*ClientConn::create(client_loops, address, {.credentials = insecure_credentials()}));
  }
  void start_server(std::string_view listen) {
    server = std::move(*Server::create(server_loops));
    EXPECT_TRUE(RegisterCallsServer(*server, calls).is_ok());
    Result<uint16_t> port = server->listen(listen);
    ASSERT_TRUE(port) << port.status().to_string();
    address = *port == 0 ? std::string(listen) : "127.0.0.1:" + std::to_string(*port);
  }
  CallsClient client() { return CallsClient(*conn); }
  template <class T>
  T run(Task<T> task) {
    return block_on(client_loops.loop(0), std::move(task));
  }
  Status unary(const Ask& ask, Reply& reply, const Context& context = {}, CallOptions options = {}) {
    return client().BlockingUnary(context, ask, reply, options);
  }
};

}  // namespace gaggle::e2e
