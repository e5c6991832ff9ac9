// SPDX-License-Identifier: Apache-2.0
//
// Our own load generator: gRPC calls of every kind on our client, one thread, closed loop or at a constant rate.

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/calls.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/sleep.h"
#include "gaggle/net/spawn.h"
#include "gaggle/net/when_all.h"
#include "gaggle/rpc/credentials/tls.h"

namespace {

using namespace gaggle;

Duration seconds(double count) { return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count)); }

// Measures after the warm-up, for as long as was asked.
Task<void> watch_the_time(bench::Load& load) {
  [[maybe_unused]] const Status warm = co_await sleep_for(load.loop, seconds(load.options.warm_up));
  load.measurement.begin();
  [[maybe_unused]] const Status slept = co_await sleep_for(load.loop, seconds(load.options.seconds));
  load.measurement.end();
}

// Says that everything is open, and waits until standard input ends.
Task<void> hold(bench::Load& load) {
  std::printf("held\n");
  std::fflush(stdout);
  char byte = 0;
  while (std::fread(&byte, 1, 1, stdin) == 1) {
  }
  load.measurement.begin();
  load.measurement.end();
  co_return;
}

Task<void> run(bench::Load& load, std::vector<std::unique_ptr<ClientConn>>& conns) {
  std::vector<Task<void>> tasks;
  for (auto& conn : conns) tasks.push_back(bench::greet(load, *conn));
  Task<void> greeting = when_all(std::move(tasks));
  co_await std::move(greeting);
  if (load.measurement.failed()) co_return;

  tasks.clear();
  const bool holds = load.options.kind == "hold";
  if (!holds) tasks.push_back(watch_the_time(load));
  std::vector<std::unique_ptr<bench::HeldChat>> held;
  for (int stream = 0; stream < load.options.streams; ++stream) {
    for (auto& conn : conns) {
      if (holds) held.push_back(std::make_unique<bench::HeldChat>());
      tasks.push_back(holds ? bench::open_and_hold(load, *conn, *held.back()) : bench::keep_calling(load, *conn));
    }
  }
  Task<void> all = when_all(std::move(tasks));
  co_await std::move(all);
  if (!holds) co_return;
  Task<void> holding = hold(load);
  co_await std::move(holding);
}

Result<std::vector<std::unique_ptr<ClientConn>>> connect(LoopGroup& loops, const bench::LoadOptions& options,
                                                         const ChannelCredentials& credentials) {
  std::vector<std::unique_ptr<ClientConn>> conns;
  const std::string target = "ipv4:127.0.0.1:" + std::to_string(options.port);
  for (int i = 0; i < options.connections; ++i) {
    auto conn = ClientConn::create(loops, target, {.credentials = &credentials, .authority = "localhost"});
    if (!conn) return std::move(conn).error();
    conns.push_back(*std::move(conn));
  }
  return conns;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::LoadOptions options = bench::parse_load_options(argc, argv);
  Loop loop({.busy_poll = std::chrono::microseconds{options.busy_poll_us}});
  LoopGroup loops(loop);
  std::unique_ptr<TlsChannelCredentials> tls;
  if (!options.ca.empty()) {
    auto made = TlsChannelCredentials::create({.trusted = {.file = options.ca}, .server_name = "localhost"});
    if (!made) bench::not_offered(made.error().to_string().c_str());
    tls = *std::move(made);
  }
  auto conns = connect(loops, options, tls ? *tls : *insecure_credentials());
  if (!conns) bench::not_offered(conns.error().to_string().c_str());
  bench::Load load(options, loop);
  bool done = false;
  spawn(loop, run(load, *conns), [&done](const std::exception_ptr&) { done = true; });
  loop.run_until([&done] { return done; });
  load.measurement.print();
  return load.measurement.failed() && options.keep_going == 0 ? 1 : 0;
}
