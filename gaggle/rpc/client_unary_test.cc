// SPDX-License-Identifier: Apache-2.0
//
// Unary calls against a scripted server: what goes out, and what each answer means.
#include <gtest/gtest.h>

#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

TEST(ClientUnaryTest, a_call_connects_sends_its_request_and_gets_the_answer) {
  ClientWorld world;
  ClientConn& conn = world.connect();
  EXPECT_EQ(conn.state(), ConnectivityState::kIdle) << "nothing is opened before the first call";
  EXPECT_TRUE(world.network.dialled.empty());

  UnaryRun call(world, Context{}, "ask");
  world.settle();
  ASSERT_EQ(world.network.servers.size(), 1u);
  ASSERT_EQ(world.server().requests.size(), 1u);
  const ScriptedServer::Request& request = world.request();
  EXPECT_EQ(request.header(":method"), "POST");
  EXPECT_EQ(request.header(":scheme"), "http");
  EXPECT_EQ(request.header(":path"), "/test.Service/Unary");
  EXPECT_EQ(request.header(":authority"), "test.example") << "from the target, not the address";
  EXPECT_EQ(request.header("content-type"), "application/grpc");
  EXPECT_EQ(request.header("te"), "trailers");
  EXPECT_TRUE(request.header("user-agent").starts_with("gaggle/"));
  EXPECT_FALSE(request.has_header("grpc-timeout")) << "the call has no deadline";
  EXPECT_EQ(request.messages(), std::vector<std::string>{"ask"});
  EXPECT_TRUE(request.ended) << "a unary client has nothing more to say";

  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
  EXPECT_EQ(call.response.view(), "reply");
  EXPECT_EQ(conn.state(), ConnectivityState::kReady);
  EXPECT_EQ(conn.counters().calls_succeeded, 1u);
}

}  // namespace
}  // namespace gaggle
