// SPDX-License-Identifier: Apache-2.0
//
// What docs/concurrency.md says of a server's objects, held under ThreadSanitizer.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gaggle/net/event.h"
#include "gaggle/rpc/echo_testing.h"
#include "gaggle/rpc/memory_quota.h"
#include "gaggle/rpc/server_sockets_testing.h"
#include "gaggle/rpc/server_tap.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

TEST(ServerThreads, all_of_a_server_may_be_called_from_any_thread_at_once) {
  Running running(2);
  running.service.unary = plain_echo;
  const std::string address = running.listen();
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    while (!done.load()) static_cast<void>(running.server->counters());
  });
  threads.emplace_back([&] {
    TestService late;
    while (!done.load()) {
      EXPECT_EQ(running.server->register_service(TestService::desc(), late).code(), StatusCode::kFailedPrecondition);
    }
  });
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 10; ++k) {
        const std::string path =
            "unix:@gaggle-threads-" + std::to_string(getpid()) + "-" + std::to_string(i) + "-" + std::to_string(k);
        const Status status = running.server->listen(path).status();
        EXPECT_TRUE(status.is_ok() || status.code() == StatusCode::kFailedPrecondition) << "the end may have begun";
      }
    });
  }
  Clients clients;
  for (int i = 0; i < 4; ++i) {
    FrameClient& client = clients.connect(address);
    for (int k = 0; k < 25; ++k) EXPECT_EQ(clients.finish(client.call("Unary", "x")).grpc_status(), "0");
  }
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      running.server->shutdown(i == 0 ? Duration(1min) : Duration(10ms));
      EXPECT_TRUE(running.server->wait().is_ok());
    });
  }
  while (running.server->counters().connections_now != 0) {
    clients.loop.poll();
    std::this_thread::yield();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(running.server->counters().calls_succeeded, 100u);
}

TEST(ServerThreads, wait_ends_only_after_every_handler) {
  Running running(1);
  AsyncEvent gate(running.loops.loop(0));
  running.service.gate = &gate;
  running.service.unary = TestService::wait_for_gate;  // doesn't care that it is cancelled
  Clients clients;
  ClientCall& call = clients.connect(running.listen()).call("Unary", "x");
  clients.until([&] { return running.server->counters().calls_now == 1; });
  std::atomic<bool> waited{false};
  std::thread waiter([&] {
    EXPECT_TRUE(running.server->wait().is_ok());
    waited = true;
  });
  running.server->stop();
  EXPECT_TRUE(clients.finish(call).reset) << "for the client it is over";
  EXPECT_FALSE(waited.load()) << "but its handler runs, and uses what the server's owner is about to destroy";
  running.loops.loop(0).post([&] { gate.set(); });
  waiter.join();
  EXPECT_EQ(running.service.ended.size(), 1u);
}

// --- What all loops share ---

class CountingUnary final : public UnaryServerInterceptor {
 public:
  Task<Status> intercept(ServerContext& context, ConstMessage request, Message response, const UnaryServerInfo&,
                         UnaryHandler& next) override {
    ++calls;
    return next(context, request, response);
  }
  std::atomic<int> calls{0};
};

class CountingStream final : public StreamServerInterceptor {
 public:
  Task<Status> intercept(ServerStream& stream, const StreamServerInfo&, StreamHandler& next) override {
    ++calls;
    return next(stream);
  }
  std::atomic<int> calls{0};
};

class CountingTap final : public ServerTap {
 public:
  TapVerdict inspect(const TapInfo& call) override {
    if (call.header("drop")) return TapVerdict::drop();
    ++calls;
    return TapVerdict::accept();
  }
  std::atomic<int> calls{0};
};

class EchoAnything final : public StreamHandler {
 public:
  Task<Status> operator()(ServerStream& stream) override {
    ++calls;
    return echo_bytes(nullptr, stream);
  }
  std::atomic<int> calls{0};
};

TEST(ServerThreads, interceptors_taps_handlers_and_quotas_are_shared_by_all_loops) {
  CountingUnary unary;
  CountingStream streams;
  CountingTap tap;
  EchoAnything anything;
  MemoryQuota quota(64 << 20);
  {
    Running running(3, {.memory_quota = &quota,
                        .tap = &tap,
                        .unary_interceptors = {&unary},
                        .stream_interceptors = {&streams},
                        .unknown_service = &anything});
    Running other(1, {.memory_quota = &quota});
    running.service.unary = plain_echo;
    const std::string address = running.listen();
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 2; ++thread) {
      threads.emplace_back([&] {
        Clients clients;
        for (int i = 0; i < 4; ++i) {
          FrameClient& client = clients.connect(address);
          for (int k = 0; k < 20; ++k) {
            EXPECT_EQ(clients.finish(client.call("Unary", std::string(10'000, 'x'))).grpc_status(), "0");
            EXPECT_EQ(clients.finish(client.call("Other", "x")).messages(), std::vector<std::string>{"x"});
            EXPECT_TRUE(clients.finish(client.call("Unary", "x", {{"drop", "1"}})).reset);
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(running.server->counters().tapped_calls, 160u);
  }
  EXPECT_EQ(unary.calls.load(), 160);
  EXPECT_EQ(streams.calls.load(), 160);
  EXPECT_EQ(anything.calls.load(), 160);
  EXPECT_EQ(tap.calls.load(), 320);
  EXPECT_EQ(quota.used_bytes(), 0u) << "what was counted on three loops adds up to nothing";
}

}  // namespace
}  // namespace gaggle
