// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_tap.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

// Does as the header "tap" of each call says.
class Obedient final : public ServerTap {
 public:
  TapVerdict inspect(const TapInfo& call) override {
    methods.emplace_back(call.method());
    peers.push_back(call.peer().address);
    const std::string_view order = call.header("tap").value_or("");
    raw.emplace_back(call.header("raw-bin").value_or("none"));
    if (order == "reject") return TapVerdict::reject(Status::resource_exhausted("too many of you"));
    if (order == "drop") return TapVerdict::drop();
    if (order == "reject OK") return TapVerdict::reject(Status::ok());
    if (order == "throw") throw std::runtime_error("not so quick");
    return TapVerdict::accept();
  }
  std::vector<std::string> methods, peers, raw;
};

TEST(ServerTap, sees_method_headers_and_peer_before_the_handler) {
  Obedient tap;
  ServerWorld world({.tap = &tap});
  EXPECT_EQ(world.finish(world.client().call("Unary", "x", {{"raw-bin", "AAE"}})).grpc_status(), "0");
  EXPECT_EQ(tap.methods, std::vector<std::string>{"/test.Service/Unary"});
  EXPECT_EQ(tap.raw, std::vector<std::string>{"AAE"}) << "as it came";
  EXPECT_FALSE(tap.peers[0].empty());
}

TEST(ServerTap, may_end_a_call_with_a_status_before_its_message_has_come) {
  Obedient tap;
  ServerWorld world({.tap = &tap});
  ClientCall& call = world.finish(world.client().start(FrameClient::request("Unary", {{"tap", "reject"}})));
  EXPECT_TRUE(call.trailers_only);
  EXPECT_EQ(call.grpc_status(), "8");
  EXPECT_EQ(call.grpc_message(), "too many of you");
  EXPECT_EQ(world.service.started, 0);
  EXPECT_EQ(world.server->counters().tapped_calls, 1u);
}

TEST(ServerTap, may_drop_a_call_without_a_word) {
  Obedient tap;
  ServerWorld world({.tap = &tap});
  ClientCall& call = world.finish(world.client().call("Unary", "x", {{"tap", "drop"}}));
  EXPECT_EQ(call.reset, http2::ErrorCode::kRefusedStream) << "which clients may try again at once";
  EXPECT_TRUE(call.header.empty());
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0") << "the connection goes on";
}

TEST(ServerTap, turned_away_calls_leave_nothing_behind) {
  Obedient tap;
  ServerWorld world({.max_concurrent_streams = 4, .tap = &tap});
  for (int i = 0; i < 500; ++i) {
    world.finish(world.client().call("Unary", "x", {{"tap", i % 2 == 0 ? "drop" : "reject"}}));
    ASSERT_FALSE(world.client().closed) << i;
  }
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0") << "every slot is free";
  EXPECT_EQ(world.server->counters().calls_failed, 500u);
}

TEST(ServerTap, is_not_asked_about_what_the_server_refuses_itself) {  // [134] [136]
  Obedient tap;
  ServerWorld world({.tap = &tap});
  for (const char* path : {"test.Service/Unary", "//test.Service/Unary", "/test.Service/Nope", "/"}) {
    EXPECT_EQ(world.finish(world.client().call("x", "x", {{":path", path}})).grpc_status(), "12") << path;
  }
  EXPECT_EQ(world.finish(world.client().call("Unary", "x", {{"content-type", "text/html"}})).header_value(":status"),
            "415");
  EXPECT_TRUE(tap.methods.empty());
}

TEST(ServerTap, one_that_throws_costs_the_call_only) {
  Obedient tap;
  ServerWorld world({.tap = &tap});
  EXPECT_EQ(world.finish(world.client().call("Unary", "x", {{"tap", "throw"}})).grpc_status(), "2");
  EXPECT_EQ(world.finish(world.client().call("Unary", "x", {{"tap", "reject OK"}})).grpc_status(), "13")
      << "there is no answer that could be OK";
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0");
}

}  // namespace
}  // namespace gaggle
