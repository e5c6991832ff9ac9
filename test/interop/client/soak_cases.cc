// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "client/cases.h"
#include "client/expect.h"
#include "gaggle/net/sleep.h"
#include "gaggle/net/when_all.h"

namespace gaggle::interop {
namespace {

using std::chrono::milliseconds;

struct Soak {
  Session& session;
  bool new_connections;
  TimePoint begin;
  int done = 0;
  int failures = 0;
  Duration longest{};
};

Task<Status> one_call(Soak& soak, ClientConnInterface& conn) {
  const Flags& flags = soak.session.flags();
  grpc::testing::SimpleRequest request;
  request.set_response_size(flags.soak_response_size);
  *request.mutable_payload() = zeros(static_cast<size_t>(flags.soak_request_size));
  grpc::testing::SimpleResponse response;
  grpc::testing::TestServiceClient client(conn);
  Task<Status> calling = client.UnaryCall(soak.session.context(), request, response);
  Status status = co_await std::move(calling);
  if (!status) co_return status;
  co_return expect_zeros("the response", response.payload(), static_cast<size_t>(flags.soak_response_size));
}

Task<Status> one_iteration(Soak& soak) {
  std::unique_ptr<ClientConn> fresh;
  if (soak.new_connections) {
    Result<std::unique_ptr<ClientConn>> connected = soak.session.connect();
    if (!connected) co_return connected.error();
    fresh = *std::move(connected);
  }
  Task<Status> calling = one_call(soak, fresh != nullptr ? *fresh : soak.session.conn());
  co_return co_await std::move(calling);
}

// One "thread" of the description: iterations one after the other.
Task<Status> worker(Soak& soak, int iterations) {
  const Flags& flags = soak.session.flags();
  Loop& loop = soak.session.loop();
  const Duration limit = milliseconds{flags.soak_per_iteration_max_acceptable_latency_ms};
  for (int i = 0; i < iterations; ++i) {
    const TimePoint begin = loop.now();
    if (begin - soak.begin >= std::chrono::seconds{flags.soak_overall_timeout_seconds}) break;
    Task<Status> iterating = one_iteration(soak);
    const Status status = co_await std::move(iterating);
    const Duration took = Clock::real().now() - begin;
    ++soak.done;
    soak.longest = std::max(soak.longest, took);
    if (!status || took > limit) {
      ++soak.failures;
      std::cerr << "iteration " << i << " took " << std::chrono::duration_cast<milliseconds>(took).count()
                << " ms: " << status.to_string() << '\n';
    }
    auto pause = sleep_until(loop, begin + milliseconds{flags.soak_min_time_ms_between_rpcs});
    Status slept = co_await pause;
    if (!slept) co_return slept;
  }
  co_return Status::ok();
}

Task<Status> soak(Session& session, bool new_connections) {
  const Flags& flags = session.flags();
  Soak soak{session, new_connections, session.loop().now()};
  std::vector<Task<Status>> workers;
  for (int i = 0; i < flags.soak_num_threads; ++i) {
    workers.push_back(worker(soak, flags.soak_iterations / flags.soak_num_threads));
  }
  Task<std::vector<Status>> all = when_all(std::move(workers));
  const std::vector<Status> ends = co_await std::move(all);
  for (const Status& end : ends) {
    if (!end) co_return end;
  }
  const int wanted = flags.soak_iterations / flags.soak_num_threads * flags.soak_num_threads;
  if (Status all_done = expect_equal("iterations in time", soak.done, wanted); !all_done) co_return all_done;
  if (soak.failures <= flags.soak_max_failures) co_return Status::ok();
  co_return unmet(std::to_string(soak.failures) + " of " + std::to_string(soak.done) + " iterations failed");
}

Task<Status> rpc_soak(Session& session) { return soak(session, false); }
Task<Status> channel_soak(Session& session) { return soak(session, true); }

constexpr Case kCases[] = {{"rpc_soak", rpc_soak}, {"channel_soak", channel_soak}};

}  // namespace

std::span<const Case> soak_cases() { return kCases; }

}  // namespace gaggle::interop
