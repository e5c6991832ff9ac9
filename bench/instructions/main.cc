// SPDX-License-Identifier: Apache-2.0
//
// Makes calls in one process, on one thread, without sockets and with a clock that stands still, so that two runs of
// one build execute the same instructions. runner/instructions.py counts them under callgrind.
//
//   bench_instructions TRANSCRIPT CALLS
//     server      the server's part of unary calls that arrive 100 at a time
//     single      the same, one at a time
//     timeout     as `server`, with another grpc-timeout in each call
//     call        client and server, 100 calls in flight

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench.gaggle.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/spawn.h"
#include "gaggle/net/when_all.h"
#include "gaggle/rpc/in_process.h"
#include "gaggle/rpc/in_process_pipe.h"
#include "gaggle/rpc/server.h"
#include "transcript.h"

namespace {

using namespace gaggle;

constexpr int kInFlight = 100;

class Echo final : public benchpb::UnimplementedBenchServer {
 public:
  int calls = 0;

 private:
  Task<Status> Unary(ServerContext& /*context*/, const benchpb::Request& request,
                     benchpb::Response& response) override {
    ++calls;
    response.mutable_payload()->assign(request.payload());
    co_return Status::ok();
  }
};

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "bench_instructions: %s\n", what);
  std::exit(1);
}

struct World {
  ManualClock clock;
  Loop loop{LoopOptions{.clock = &clock}};
  LoopGroup loops{loop};
  Echo service;
};

void write_all(ByteStream& stream, std::string_view bytes) {
  const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  if (stream.write({&piece, 1}).bytes != bytes.size()) fail("the pipe is full");
}

void serve_transcript(int calls, int at_once, bool timeouts) {
  World world;
  auto server = Server::create(world.loops);
  if (!server || !benchpb::RegisterBenchServer(**server, world.service)) fail("no server");
  auto [client, served] = make_in_process_pipe(world.loop);
  {
    const Loop::Enter enter(world.loop);
    if (!(*server)->serve(std::move(served))) fail("the server doesn't serve");
  }
  bench::Transcript transcript;
  write_all(*client, bench::Transcript::opening());
  std::vector<uint8_t> answers(1u << 20);
  while (world.service.calls < calls) {
    std::string burst;
    for (int i = 0; i < at_once; ++i) burst += transcript.call(timeouts);
    const int wanted = world.service.calls + at_once;
    write_all(*client, burst);
    while (world.service.calls < wanted) {
      if (world.loop.poll() == 0) fail("the server has stopped answering");
    }
    if (!client->read(answers).is_done()) fail("no answers");
  }
  client->close();
  (*server)->stop();
  world.loop.poll();
}

Task<void> keep_calling(ClientConnInterface& conn, int& left) {
  benchpb::BenchClient client{conn};
  const Context context;
  benchpb::Request request;
  request.set_payload(std::string(100, 'p'));
  benchpb::Response response;
  while (left > 0) {
    --left;
    Status status = co_await client.Unary(context, request, response);
    if (!status || response.payload() != request.payload()) fail("a wrong answer");
  }
}

Task<void> call_in_parallel(ClientConnInterface& conn, int& left) {
  std::vector<Task<void>> tasks;
  for (int i = 0; i < kInFlight; ++i) tasks.push_back(keep_calling(conn, left));
  Task<void> all = when_all(std::move(tasks));
  co_await std::move(all);
}

void call_and_serve(int calls) {
  World world;
  InProcessOptions options;
  options.client.random_seed = 1;
  options.server.random_seed = 1;
  auto conn = InProcessConn::create(world.loops, options);
  if (!conn || !benchpb::RegisterBenchServer(**conn, world.service)) fail("no connection");
  bool done = false;
  spawn(world.loop, call_in_parallel(**conn, calls), [&done](const std::exception_ptr&) { done = true; });
  while (!done) world.loop.poll();
  conn->reset();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::atoi(argv[2]) <= 0) fail("usage: bench_instructions server|single|timeout|call CALLS");
  const std::string_view transcript = argv[1];
  const int calls = std::atoi(argv[2]);
  if (transcript == "server") {
    serve_transcript(calls, kInFlight, false);
  } else if (transcript == "single") {
    serve_transcript(calls, 1, false);
  } else if (transcript == "timeout") {
    serve_transcript(calls, kInFlight, true);
  } else if (transcript == "call") {
    call_and_serve(calls);
  } else {
    fail("no such transcript");
  }
}
