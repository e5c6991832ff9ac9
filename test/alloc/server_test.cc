// SPDX-License-Identifier: Apache-2.0
//
// A server's part of a unary call in steady state takes no memory from the heap.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "counting_allocator.h"
#include "gaggle/net/connect.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

constexpr uint64_t kWarm = 2000;
constexpr uint64_t kMeasured = 4000;

struct Measured {
  uint64_t calls = 0;
  uint64_t at_start = 0;
  uint64_t at_end = 0;
};

class CountingService final : public TestService {
 public:
  Measured measured;
};

// Runs on the server's thread, so it sees what that thread has allocated from call to call.
Task<Status> counted_echo(TestService& service, ServerContext&, const Text& request, Text& response) {
  Measured& measured = static_cast<CountingService&>(service).measured;
  ++measured.calls;
  if (measured.calls == kWarm) measured.at_start = allocations_of_this_thread();
  if (measured.calls == kWarm + kMeasured) measured.at_end = allocations_of_this_thread();
  response.value = request.value;
  co_return Status::ok();
}

// Keeps `in_flight` calls going until the service has seen enough.
void run_calls(const TestFields& more, size_t in_flight, CountingService& service) {
  LoopGroup loops(1);
  service.unary = counted_echo;
  auto server = *Server::create(loops);
  ASSERT_TRUE(server->register_service(TestService::desc(), service).is_ok());
  const Result<uint16_t> port = server->listen("127.0.0.1:0");
  ASSERT_TRUE(port.is_ok());
  Loop loop;
  TaskRecord<Result<std::unique_ptr<ByteStream>>> connected;
  const Context context;
  {
    const Loop::Enter enter(loop);
    start(connect(loop, Address::tcp("127.0.0.1", *port), context), connected, context);
  }
  loop.run_until([&] { return connected.ended(); });
  FrameClient client(*connected.take());
  const std::string value(32, 'v');
  for (uint64_t made = 0; made < kWarm + kMeasured;) {
    const size_t first = client.calls.size();
    for (size_t i = 0; i < in_flight; ++i, ++made) client.call("Unary", value, more);
    loop.run_until([&] {
      return std::all_of(client.calls.begin() + static_cast<ptrdiff_t>(first), client.calls.end(),
                         [](const ClientCall& call) { return call.over(); });
    });
    for (ClientCall& call : client.calls) {
      ASSERT_EQ(call.grpc_status(), "0");
      client.http2().release(*call.stream);
    }
    client.calls.clear();
  }
  server.reset();
  ASSERT_GE(service.measured.calls, kWarm + kMeasured);
}

TEST(ServerAllocations, a_unary_call_in_steady_state_takes_none) {
  for (const size_t in_flight : {1u, 100u}) {
    CountingService service;
    run_calls({}, in_flight, service);
    EXPECT_EQ(service.measured.at_end - service.measured.at_start, 0u) << in_flight << " at once";
  }
}

TEST(ServerAllocations, neither_does_one_with_a_deadline_and_metadata_nobody_reads) {
  CountingService service;
  run_calls({{"grpc-timeout", "10S"}, {"custom", "metadata"}}, 100, service);
  EXPECT_EQ(service.measured.at_end - service.measured.at_start, 0u);
}

}  // namespace
}  // namespace gaggle
