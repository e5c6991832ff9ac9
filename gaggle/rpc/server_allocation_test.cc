// SPDX-License-Identifier: Apache-2.0
//
// A unary call in steady state takes no memory from the heap. Counts operator new per thread; the
// sanitizers, which replace it too and keep the pools from recycling, leave this out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string>

#include "gaggle/net/connect.h"
#include "gaggle/net/frame_pool.h"
#include "gaggle/rpc/server_testing.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GAGGLE_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GAGGLE_COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef GAGGLE_COUNTS_ALLOCATIONS
#define GAGGLE_COUNTS_ALLOCATIONS 1
#endif

#if GAGGLE_COUNTS_ALLOCATIONS

namespace {
constinit thread_local uint64_t allocations = 0;

void* allocate(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void* allocate(size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto align = static_cast<size_t>(alignment);
  if (void* memory = std::aligned_alloc(align, (size + align - 1) / align * align)) return memory;
  throw std::bad_alloc();
}
}  // namespace

// g++ sees free() behind a new that it knows, once it has inlined them.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(size_t size) { return allocate(size); }
void* operator new[](size_t size) { return allocate(size); }
void* operator new(size_t size, std::align_val_t alignment) { return allocate(size, alignment); }
void* operator new[](size_t size, std::align_val_t alignment) { return allocate(size, alignment); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

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
  if (measured.calls == kWarm) measured.at_start = allocations;
  if (measured.calls == kWarm + kMeasured) measured.at_end = allocations;
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

#endif
