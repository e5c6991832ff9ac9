// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gaggle/net/connect.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {

// A loop that the test's thread runs, and clients on it.
class Clients {
 public:
  FrameClient& connect(const std::string& address) {
    TaskRecord<Result<std::unique_ptr<ByteStream>>> connected;
    const Context context = Context().with_timeout(std::chrono::seconds{10});
    {
      const Loop::Enter enter(loop);
      start(gaggle::connect(loop, *Address::parse(address), context), connected, context);
    }
    loop.run_until([&] { return connected.ended(); });
    auto stream = connected.take();
    EXPECT_TRUE(stream.is_ok()) << stream.status().to_string();
    if (!stream) throw std::runtime_error("not connected");
    const Loop::Enter enter(loop);
    return *clients.emplace_back(std::make_unique<FrameClient>(std::move(*stream)));
  }
  ClientCall& finish(ClientCall& call) {
    loop.run_until([&] { return call.over(); });
    return call;
  }
  template <class Predicate>
  void until(Predicate&& done) {
    loop.run_until(done);
  }

  Loop loop;
  std::vector<std::unique_ptr<FrameClient>> clients;
};

struct Running {
  explicit Running(size_t threads, ServerOptions options = {}) : loops(threads) {
    server = *Server::create(loops, std::move(options));
    EXPECT_TRUE(server->register_service(TestService::desc(), service).is_ok());
  }
  std::string listen(const std::string& address = "127.0.0.1:0") {
    Result<uint16_t> port = server->listen(address);
    EXPECT_TRUE(port.is_ok()) << port.status().to_string();
    return "127.0.0.1:" + std::to_string(port ? *port : 0);
  }

  TestService service;
  LoopGroup loops;
  std::unique_ptr<Server> server;
};

// Handlers of several loops share the service, so they touch none of its fields.
inline Task<Status> plain_echo(TestService&, ServerContext&, const Text& request, Text& response) {
  response.value = request.value;
  co_return Status::ok();
}

}  // namespace gaggle
