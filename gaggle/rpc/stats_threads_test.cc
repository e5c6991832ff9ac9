// SPDX-License-Identifier: Apache-2.0
//
// Stats handlers shared by several loops, clients and servers at once, over real sockets; under ThreadSanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gaggle/net/block_on.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/server_sockets_testing.h"
#include "gaggle/rpc/stats_handler.h"

namespace gaggle {
namespace {

// A tag is made at each beginning and freed at its end: what came twice, or never, would be seen.
class CountingStats final : public StatsHandler {
 public:
  struct OfCall {
    int events = 0;  // of one call, hence of one loop
  };
  std::atomic<uint64_t> connections{0}, connection_ends{0}, begins{0}, ends{0}, failures{0}, sent{0}, received{0};

 private:
  stats::Tag on_connection_begin(const stats::ConnectionBegin&) noexcept override {
    ++connections;
    return new OfCall;
  }
  void on_connection_end(stats::Tag tag, const stats::ConnectionEnd&) noexcept override {
    ++connection_ends;
    delete static_cast<OfCall*>(tag);
  }
  stats::Tag on_call_begin(const stats::CallBegin&) noexcept override {
    ++begins;
    return new OfCall;
  }
  void on_message_sent(stats::Tag tag, const stats::Payload& payload) noexcept override {
    ++static_cast<OfCall*>(tag)->events;
    sent += payload.wire_bytes;
  }
  void on_message_received(stats::Tag tag, const stats::Payload& payload) noexcept override {
    ++static_cast<OfCall*>(tag)->events;
    received += payload.wire_bytes;
  }
  void on_call_end(stats::Tag tag, const stats::CallEnd& end) noexcept override {
    ++ends;
    if (!end.status) ++failures;
    delete static_cast<OfCall*>(tag);
  }
};

// Every fourth call is given up at some moment.
Task<int> make_calls(ClientConn& conn, int count) {
  int well = 0;
  for (int i = 0; i < count; ++i) {
    const Text request{"ask"};
    Text response;
    Context context;
    if (i % 4 == 3) context = context.with_timeout(std::chrono::microseconds{200 + 13 * i});
    const CallOptions options;
    Task<Status> calling =
        conn.invoke(context, "/test.Service/Unary", message_of(request), message_of(response), options);
    Status status = co_await std::move(calling);
    if (status.is_ok()) ++well;
  }
  co_return well;
}

TEST(StatsThreads, one_handler_for_all_loops_of_clients_and_servers) {
  constexpr int kCalls = 100;
  const auto of_clients = std::make_shared<CountingStats>();
  const auto of_server = std::make_shared<CountingStats>();
  std::atomic<int> well{0};
  {
    Running running(2, {.stats_handlers = {of_server}});
    running.service.unary = plain_echo;
    const std::string address = running.listen();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        LoopGroup loops(1);
        auto conn = *ClientConn::create(loops, address,
                                        {.credentials = insecure_credentials(), .stats_handlers = {of_clients}});
        well += block_on(loops.loop(0), make_calls(*conn, kCalls));
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(of_clients->connections, 4u);
  EXPECT_EQ(of_clients->connection_ends, 4u);
  EXPECT_EQ(of_clients->begins, 4u * kCalls);
  EXPECT_EQ(of_clients->ends, 4u * kCalls);
  EXPECT_EQ(of_clients->ends - of_clients->failures, static_cast<uint64_t>(well.load()));
  EXPECT_EQ(of_server->connections, 4u);
  EXPECT_EQ(of_server->connection_ends, 4u);
  EXPECT_EQ(of_server->begins, of_server->ends);
  EXPECT_LE(of_server->begins, of_clients->begins) << "some deadlines passed before anything was sent";
  EXPECT_GE(of_server->sent, 8u * static_cast<uint64_t>(well.load()));
  EXPECT_GE(of_server->sent, of_clients->received.load());
}

}  // namespace
}  // namespace gaggle
