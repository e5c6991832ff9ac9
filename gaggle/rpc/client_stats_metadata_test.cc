// SPDX-License-Identifier: Apache-2.0
//
// What stats handlers of a client send along with each attempt.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "gaggle/rpc/client_testing.h"
#include "gaggle/rpc/stats_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRetries = R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3,
    "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]})";

// Marks each attempt, as a tracer does. grpc-go: what TagRPC puts into the context's outgoing metadata.
struct Marking final : StatsHandler {
  stats::Tag on_call_begin(const stats::CallBegin& event) override {
    ++attempts;
    if (bad) {
      event.metadata->add_received("trace", "two\r\nlines");
    } else {
      EXPECT_TRUE(event.metadata->add("trace", "attempt " + std::to_string(attempts)));
      EXPECT_TRUE(event.metadata->add("trace-bin", std::string_view("\0", 1)));
    }
    return nullptr;
  }
  int attempts = 0;
  bool bad = false;
};

TEST(ClientStats, a_handler_may_add_metadata_to_each_attempt) {
  auto marking = std::make_shared<Marking>();
  auto stats = std::make_shared<RecordingStats>();
  ClientWorld world;
  world.connect({.default_service_config = kRetries, .stats_handlers = {marking, stats}});
  Metadata own;
  EXPECT_TRUE(own.add("key", "v"));
  UnaryRun call(world, Context{}, "ask", {.metadata = &own});
  world.settle();
  world.server().trailers_only(world.request(0), "14");
  world.advance(130ms);
  world.server().answer(world.request(1), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(world.request(0).header("trace"), "attempt 1");
  EXPECT_EQ(world.request(1).header("trace"), "attempt 2") << "and nothing is left of the first";
  EXPECT_EQ(world.request(1).header("trace-bin"), "AA") << "base64, as all of its kind";
  EXPECT_EQ(world.request(1).header("key"), "v");
  marking->bad = true;
  UnaryRun refused(world, Context{}, "ask");
  world.settle();
  ASSERT_TRUE(refused.done());
  EXPECT_EQ(refused.status().code(), StatusCode::kInternal);
  EXPECT_EQ(stats->calls.back().lines.back(), "end INTERNAL");
}

}  // namespace
}  // namespace gaggle
