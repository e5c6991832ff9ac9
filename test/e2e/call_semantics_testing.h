// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "call_semantics.gaggle.h"
#include "gaggle/net/block_on.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/sleep.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/server.h"

// A server with all four kinds of method and a client of it, over real sockets.

namespace gaggle::e2e {

using namespace std::chrono_literals;

inline int64_t remaining_ms(const Context& context) {
  if (!context.has_deadline()) return -1;
  return std::chrono::duration_cast<std::chrono::milliseconds>(context.remaining()).count();
}

class Calls final : public UnimplementedCallsServer {
 public:
  std::atomic<int> waiting{0};
  std::atomic<int> cancelled{0};

  Task<Status> Unary(ServerContext& context, const Ask& ask, Reply& reply) override {
    if (ask.wait()) {
      ++waiting;
      auto sleep = sleep_for(context.loop(), 1h);
      Status ended = co_await sleep;
      ++cancelled;
      co_return ended;
    }
    if (ask.code() != 0) co_return Status(static_cast<StatusCode>(ask.code()), ask.text(), "details");
    for (const auto& entry : context.metadata()) {
      if (!entry.key.starts_with("x-")) continue;
      if (Status set = context.set_header(entry.key, entry.value); !set) co_return set;
      if (Status set = context.set_trailer(entry.key, entry.value); !set) co_return set;
    }
    reply.set_text("to " + ask.text());
    reply.set_filler(std::string(static_cast<size_t>(ask.reply_bytes()), 'x'));
    reply.set_remaining_ms(remaining_ms(context));
    co_return Status::ok();
  }

  Task<Status> Collect(ServerContext&, ClientStreamingServer<Ask>& asks, Reply& reply) override {
    for (;;) {
      Ask ask;
      Result<bool> more = co_await asks.recv(ask);
      if (!more) co_return more.error();
      if (!*more) co_return Status::ok();
      if (ask.code() != 0) co_return Status(static_cast<StatusCode>(ask.code()), ask.text());
      reply.mutable_text()->append(ask.text());
    }
  }

  Task<Status> List(ServerContext&, const Ask& ask, ServerStreamingServer<Reply>& replies) override {
    Reply reply;
    reply.set_filler(std::string(static_cast<size_t>(ask.reply_bytes()), 'x'));
    for (int i = 0; i < ask.times(); ++i) {
      reply.set_text(ask.text() + std::to_string(i));
      Status sent = co_await replies.send(reply);
      if (!sent) {
        ++cancelled;
        co_return sent;
      }
    }
    co_return ask.code() == 0 ? Status::ok() : Status(static_cast<StatusCode>(ask.code()), "after all");
  }

  Task<Status> Talk(ServerContext&, BidiStreamingServer<Ask, Reply>& talk) override {
    Reply reply;
    for (;;) {
      Ask ask;
      Result<bool> more = co_await talk.recv(ask);
      if (!more) co_return more.error();
      if (!*more) co_return Status::ok();
      if (ask.code() != 0) co_return Status(static_cast<StatusCode>(ask.code()), ask.text());
      reply.set_text("to " + ask.text());
      Status sent = co_await talk.send(reply);
      if (!sent) co_return sent;
    }
  }
};

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

inline Ask ask_of(std::string_view text) {
  Ask ask;
  ask.set_text(std::string(text));
  return ask;
}

}  // namespace gaggle::e2e
