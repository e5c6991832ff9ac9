// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "call_semantics.gaggle.h"
#include "gaggle/net/sleep.h"

// The service of call_semantics.proto: what a method does is in the request.

namespace gaggle::e2e {

using namespace std::chrono_literals;

inline int64_t remaining_ms(const Context& context) {
  if (!context.has_deadline()) return -1;
  return std::chrono::duration_cast<std::chrono::milliseconds>(context.remaining()).count();
}

class Calls : public UnimplementedCallsServer {
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

inline Ask ask_of(std::string_view text) {
  Ask ask;
  ask.set_text(std::string(text));
  return ask;
}

}  // namespace gaggle::e2e
