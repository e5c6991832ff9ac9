// SPDX-License-Identifier: Apache-2.0
//
// A ClientConn whose names come from a name server: the test's, over UDP on loopback.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gaggle/net/dns_server_testing.h"
#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

struct World {
  Loop loop;
  LoopGroup loops{loop};
  TestDnsServer names{loop};
  ScriptedNetwork network{loop};
  std::unique_ptr<ClientConn> conn;

  ~World() {
    conn.reset();
    loop.poll();
  }
  void connect(ClientConnOptions options = {}) {
    options.credentials = insecure_credentials();
    options.dialer = &network;
    conn = std::move(*ClientConn::create(loops, "dns://" + names.address() + "/scores.example:50051", options));
    conn->connect();
  }
  template <class Predicate>
  void until(Predicate done) {
    loop.run_until(done);
  }
};

TEST(ClientDnsTest, addresses_and_service_config_come_from_the_name_server) {
  World world;
  world.names.add_a("scores.example", {127, 0, 0, 1});
  world.names.add_a("scores.example", {127, 0, 0, 2});
  world.names.add_txt("_grpc_config.scores.example",
                      {R"(grpc_config=[{"clientLanguage": ["go"], "serviceConfig": {}},)",
                       R"({"serviceConfig": {"loadBalancingConfig": [{"round_robin": {}}]}}])"});
  world.connect();
  world.until([&] { return world.network.dialled.size() == 2; });
  std::vector<std::string> dialled = world.network.dialled;
  std::ranges::sort(dialled);
  EXPECT_EQ(dialled, (std::vector<std::string>{"127.0.0.1:50051", "127.0.0.2:50051"})) << "round_robin, to both";
  world.until([&] { return world.conn->state() == ConnectivityState::kReady; });
}

TEST(ClientDnsTest, without_service_configs_only_addresses_are_asked_for) {
  World world;
  world.names.add_a("scores.example", {127, 0, 0, 1});
  ClientConnOptions options;
  options.disable_service_config = true;
  world.connect(options);
  world.until([&] { return world.conn->state() == ConnectivityState::kReady; });
  for (const std::string& question : world.names.asked) EXPECT_EQ(question.find("TXT"), std::string::npos) << question;
}

TEST(ClientDnsTest, a_name_that_isnt_there_fails_calls_with_the_reason) {  // [175]
  World world;
  world.connect();
  world.until([&] { return world.conn->state() == ConnectivityState::kTransientFailure; });
  Bytes request;
  Bytes response;
  TaskRecord<Status> record;
  const Context context;
  {
    const Loop::Enter enter(world.loop);
    Task<Status> call =
        world.conn->invoke(context, "/a/b", message_of(std::as_const(request)), message_of(response), {});
    start(std::move(call), record, context);
  }
  world.until([&] { return record.ended(); });
  const Status status = record.take();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("scores.example"), std::string_view::npos) << status.to_string();
}

}  // namespace
}  // namespace gaggle
