// SPDX-License-Identifier: Apache-2.0
//
// Calls of every kind under every policy against servers that do anything at any time: whatever
// happens, each call ends once, and nothing of it is left. Each world is its seed; a failure prints it.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPolicies[] = {
    R"("retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.01s", "maxBackoff": "0.1s", "backoffMultiplier": 2,
                       "retryableStatusCodes": ["UNAVAILABLE", "INTERNAL"]})",
    R"("hedgingPolicy": {"maxAttempts": 4, "hedgingDelay": "0.01s", "nonFatalStatusCodes": ["UNAVAILABLE"]})",
    R"("hedgingPolicy": {"maxAttempts": 3, "nonFatalStatusCodes": ["UNAVAILABLE", "INTERNAL"]})",
    R"("timeout": "0.05s")",
};

// A whole conversation: `messages` of `bytes` each, then everything that the server says.
Task<Status> talk(ClientConn& conn, Context context, const StreamDesc& desc, size_t messages, size_t bytes) {
  CallOptions options{.retry_buffer_bytes = 100};
  auto opening = conn.new_stream(context, desc, "/test.Service/Stream", options);
  auto opened = co_await std::move(opening);
  if (!opened) co_return opened.error();
  const std::unique_ptr<ClientStream> stream = std::move(*opened);
  const Bytes message = Bytes::take(std::string(bytes, 'm'));
  for (size_t i = 0; i < (desc.client_streams ? messages : 1); ++i) {
    auto sending = stream->send(message_of(message));
    Result<bool> sent = co_await std::move(sending);
    if (!sent) co_return sent.error();
    if (!*sent) break;
  }
  Status closed = co_await stream->close_send();
  if (!closed) co_return closed;
  for (;;) {
    Bytes received;
    auto receiving = stream->recv(message_of(received));
    Result<bool> more = co_await std::move(receiving);
    if (!more) co_return more.error();
    if (!*more) co_return Status::ok();
  }
}

struct StreamRun {
  CancelSource source;
  Running<Status> run;
  StreamRun(ClientWorld& world, const Context& context, const StreamDesc& desc, size_t messages, size_t bytes)
      : source(context), run(world, talk(*world.conn, source.context(), desc, messages, bytes)) {}
};

class RandomWorld {
 public:
  explicit RandomWorld(uint32_t seed) : random_(seed) {
    const bool throttled = below(2) == 0;
    config_ = R"({"methodConfig": [{"name": [{}], )" + std::string(kPolicies[below(std::size(kPolicies))]) + "}]" +
              (throttled ? R"(, "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.5})" : "") + "}";
    world_.network.server_options.limits.max_concurrent_streams = static_cast<uint32_t>(1 + below(20));
    world_.connect({.default_service_config = config_, .retry_buffer_bytes = 1000});
  }

  ClientConnCounters run() {
    for (size_t step = 0; step < 300; ++step) act();
    finish();
    EXPECT_EQ(unfinished(), 0u) << "every call ends";
    const ClientConnCounters counters = world_.conn->counters();
    EXPECT_EQ(counters.calls_now, 0u);
    EXPECT_EQ(counters.retry_buffer_bytes, 0u) << "nothing is kept for calls that are over";
    EXPECT_LE(counters.retries + counters.hedges, counters.attempts);
    EXPECT_EQ(counters.calls_succeeded + counters.calls_failed, counters.calls_started);
    for (const auto& server : world_.network.servers) {
      if (!server->closed) {
        EXPECT_EQ(server->open_requests(), 0u) << "no server works for nobody";
      }
    }
    return counters;
  }

 private:
  size_t below(size_t limit) { return random_() % limit; }

  void act() {
    switch (below(8)) {
      case 0:
      case 1: begin_call(); break;
      case 2: cancel_one(); break;
      case 3: world_.advance(std::chrono::milliseconds{below(15)}); break;
      case 4: world_.settle(); break;
      default: answer_one(); break;
    }
  }

  void begin_call() {
    const Context context = below(3) == 0 ? world_.in(std::chrono::milliseconds{below(40)}) : Context{};
    const bool waits = below(2) == 0;
    if (below(2) == 0) {
      unary_.push_back(std::make_unique<UnaryRun>(world_, context, std::string(below(150), 'u'),
                                                  CallOptions{.wait_for_ready = waits, .retry_buffer_bytes = 100}));
    } else {
      const StreamDesc* const kinds[] = {&kBidiStream, &kClientStream, &kServerStream};
      streams_.push_back(std::make_unique<StreamRun>(world_, context, *kinds[below(3)], below(4), below(80)));
    }
    if (below(2) == 0) world_.settle();
  }

  void cancel_one() {
    if (below(2) == 0 && !unary_.empty()) unary_[below(unary_.size())]->source.cancel();
    if (below(2) == 0 && !streams_.empty()) streams_[below(streams_.size())]->source.cancel();
    if (below(2) == 0) world_.settle();
  }

  void answer_one() {
    std::vector<std::pair<ScriptedServer*, ScriptedServer::Request*>> open;
    for (const auto& server : world_.network.servers) {
      if (server->closed) continue;
      for (const auto& request : server->requests) {
        if (!request->answered && !request->reset) open.emplace_back(server.get(), request.get());
      }
    }
    if (open.empty()) return world_.settle();
    const auto [server, request] = open[below(open.size())];
    answer(*server, *request);
    if (below(2) == 0) world_.settle();
  }

  void answer(ScriptedServer& server, ScriptedServer::Request& request) {
    const bool begun = std::ranges::find(begun_, &request) != begun_.end();
    switch (below(begun ? 4 : 10)) {
      case 0:
        return server.reset(request, below(2) == 0 ? http2::ErrorCode::kCancel : http2::ErrorCode::kInternalError);
      case 1: return below(4) == 0 ? server.close() : below(3) == 0 ? server.drain() : server.flush();
      case 2:
        if (!begun) server.send_headers(request);
        server.send_message(request, "reply");
        return server.send_trailers(request, "0");
      case 3:
        if (!begun) server.send_headers(request);
        return server.send_trailers(request, "14");
      case 4: return server.reset(request, http2::ErrorCode::kRefusedStream);
      case 5: return server.trailers_only(request, "14");
      case 6: return server.trailers_only(request, below(2) == 0 ? "13" : "5");
      case 7: {
        const std::string_view pushback = below(2) == 0 ? "-1" : "7";
        return server.send_headers(
            request, {{"grpc-status", "14", http2::HeaderName::kGrpcStatus}, {"grpc-retry-pushback-ms", pushback}},
            "200", "application/grpc", true);
      }
      case 8: return server.trailers_only(request, "0");
      default: begun_.push_back(&request); return server.send_headers(request);
    }
  }

  // Servers answer whatever there is, until there is nothing.
  void finish() {
    for (int round = 0; round < 200 && unfinished() != 0; ++round) {
      for (size_t i = 0; i < world_.network.servers.size(); ++i) {
        ScriptedServer& server = *world_.network.servers[i];
        for (size_t each = 0; each < server.requests.size() && !server.closed; ++each) {
          ScriptedServer::Request& request = server.request(each);
          if (request.answered || request.reset) continue;
          if (std::ranges::find(begun_, &request) == begun_.end()) server.send_headers(request);
          server.send_message(request, "reply");
          server.send_trailers(request, "0");
        }
      }
      world_.advance(100ms);
    }
  }

  size_t unfinished() const {
    return static_cast<size_t>(std::ranges::count_if(unary_, [](const auto& run) { return !run->done(); }) +
                               std::ranges::count_if(streams_, [](const auto& run) { return !run->run.done(); }));
  }

  std::mt19937 random_;
  std::string config_;
  ClientWorld world_;
  std::deque<std::unique_ptr<UnaryRun>> unary_;
  std::deque<std::unique_ptr<StreamRun>> streams_;
  std::vector<const ScriptedServer::Request*> begun_;  // have their headers
};

TEST(ClientRetryRandomTest, whatever_servers_do_every_call_ends_and_nothing_is_left) {
  ClientConnCounters sums;
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomWorld world(seed);
    const ClientConnCounters counters = world.run();
    if (HasFailure()) return;
    sums.calls_succeeded += counters.calls_succeeded;
    sums.transparent_retries += counters.transparent_retries;
    sums.retries += counters.retries;
    sums.hedges += counters.hedges;
    sums.retries_throttled += counters.retries_throttled;
    sums.retry_buffer_full += counters.retry_buffer_full;
  }
  // Everything that this is about has happened, and often.
  EXPECT_GT(sums.calls_succeeded, 1000u);
  EXPECT_GT(sums.transparent_retries, 1000u);
  EXPECT_GT(sums.retries, 100u);
  EXPECT_GT(sums.hedges, 1000u);
  EXPECT_GT(sums.retries_throttled, 100u);
  EXPECT_GT(sums.retry_buffer_full, 1000u);
}

}  // namespace
}  // namespace gaggle
