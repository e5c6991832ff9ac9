// SPDX-License-Identifier: Apache-2.0
//
// Client-side health checking. gRFC A17; the test servers answer what a test says.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAsks =
    R"({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "a.B"}})";
constexpr std::string_view kDoesNotAsk = R"({"loadBalancingConfig": [{"round_robin": {}}]})";

// HealthCheckResponse.status, encoded.
const std::string kServing = "\x08\x01";
const std::string kNotServing = "\x08\x02";

struct World : ClientWorld {
  std::vector<std::string> lines;  // of the log

  explicit World(std::vector<std::string> addresses, std::string_view config = kAsks, ClientConnOptions options = {}) {
    options.default_service_config = config;
    options.backoff.jitter = 0;
    options.log = {.sink = [](void* self, LogLevel,
                              std::string_view line) { static_cast<World*>(self)->lines.emplace_back(line); },
                   .user = this};
    connect(options, std::move(addresses));
    conn->connect();
    settle();
  }
  ~World() { conn.reset(); }

  ScriptedServer& at(size_t index) { return *network.servers.at(index); }
  // The latest Watch call at a server, and no other.
  ScriptedServer::Request& watch(size_t server) {
    auto& requests = at(server).requests;
    for (auto each = requests.rbegin(); each != requests.rend(); ++each) {
      if ((*each)->header(":path") == "/grpc.health.v1.Health/Watch") return **each;
    }
    ADD_FAILURE() << "server " << server << " isn't asked for its health";
    std::abort();
  }
  size_t watches(size_t server) {
    size_t count = 0;
    for (auto& each : at(server).requests) count += each->header(":path") == "/grpc.health.v1.Health/Watch" ? 1 : 0;
    return count;
  }
  void say(size_t server, std::string_view health) {
    ScriptedServer::Request& request = watch(server);
    if (!std::exchange(request.answered, true)) at(server).send_headers(request);
    at(server).send_message(request, health);
    at(server).flush();
    settle();
  }
  void end_watch(size_t server, std::string_view grpc_status) {
    ScriptedServer::Request& request = watch(server);
    if (request.answered) {
      at(server).send_trailers(request, grpc_status);
    } else {
      at(server).trailers_only(request, grpc_status, "because");
    }
    at(server).flush();
    settle();
  }
  // How a call ends that doesn't wait: "OK", or its status.
  std::string call() {
    UnaryRun run(*this, Context{}, "x");
    settle();
    for (auto& server : network.servers) {
      for (auto& each : server->requests) {
        if (each->header(":path") == "/grpc.health.v1.Health/Watch" || each->answered || each->reset) continue;
        each->answered = true;
        server->answer(*each, "reply");
      }
    }
    settle();
    return run.done() ? run.status().to_string() : "waits";
  }
};

TEST(ClientHealthTest, the_server_is_asked_for_the_service_of_the_config) {
  World world({"a:1"});
  EXPECT_EQ(world.watch(0).messages(), (std::vector<std::string>{"\x0a\x03"
                                                                 "a.B"}));
  EXPECT_TRUE(world.watch(0).ended) << "one request, and the half-close";
  World whole({"a:1"}, R"({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}})");
  EXPECT_EQ(whole.watch(0).messages(), (std::vector<std::string>{""})) << "the server as a whole";
}

TEST(ClientHealthTest, calls_wait_until_the_server_has_answered) {
  World world({"a:1"});
  EXPECT_EQ(world.conn->state(), ConnectivityState::kConnecting) << "connected, and not known to be healthy";
  EXPECT_EQ(world.call(), "waits");
  world.say(0, kServing);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
  EXPECT_EQ(world.call(), "OK");
}

TEST(ClientHealthTest, a_server_that_does_not_serve_gets_no_calls) {
  World world({"a:1", "b:2"});
  world.say(0, kServing);
  world.say(1, kNotServing);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(world.call(), "OK");
  EXPECT_EQ(world.at(0).requests.size(), 5u) << "all four, and the watch";
  EXPECT_EQ(world.at(1).requests.size(), 1u);
  world.say(1, kServing);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(world.call(), "OK");
  EXPECT_EQ(world.at(1).requests.size(), 3u) << "back in turn";
}

TEST(ClientHealthTest, when_nobody_serves_calls_fail_and_say_why) {
  World world({"a:1"});
  world.say(0, kServing);
  world.say(0, kNotServing);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kTransientFailure);
  const std::string status = world.call();
  EXPECT_NE(status.find("UNAVAILABLE"), std::string::npos) << status;
  EXPECT_NE(status.find("NOT_SERVING"), std::string::npos) << status;
  world.say(0, "\x08\x03");
  EXPECT_NE(world.call().find("SERVICE_UNKNOWN"), std::string::npos);
  world.say(0, "");
  EXPECT_NE(world.call().find("UNKNOWN"), std::string::npos) << "no status is the default one";
}

TEST(ClientHealthTest, a_server_without_health_is_taken_for_healthy_with_a_line_in_the_log) {
  World world({"a:1"});
  world.end_watch(0, "12");
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
  EXPECT_EQ(world.call(), "OK");
  ASSERT_EQ(world.lines.size(), 1u);
  EXPECT_NE(world.lines[0].find("no health service"), std::string::npos) << world.lines[0];
  world.advance(10min);
  EXPECT_EQ(world.watches(0), 1u) << "it isn't asked again";
}

TEST(ClientHealthTest, a_watch_that_fails_is_a_failure_and_is_made_again_with_growing_waits) {
  World world({"a:1"});
  world.end_watch(0, "13");
  EXPECT_EQ(world.conn->state(), ConnectivityState::kTransientFailure);
  EXPECT_NE(world.call().find("because"), std::string::npos);
  world.advance(999ms);
  EXPECT_EQ(world.watches(0), 1u);
  world.advance(1ms);
  EXPECT_EQ(world.watches(0), 2u) << "the channel's backoff: 1 s at first";
  EXPECT_EQ(world.conn->state(), ConnectivityState::kTransientFailure) << "until there is an answer";
  world.end_watch(0, "13");
  world.advance(1599ms);
  EXPECT_EQ(world.watches(0), 2u);
  world.advance(1ms);
  EXPECT_EQ(world.watches(0), 3u) << "then 1.6 s";
  world.say(0, kServing);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
}

TEST(ClientHealthTest, a_watch_that_had_answers_is_made_again_at_once_but_not_without_end) {
  World world({"a:1"});
  world.say(0, kServing);
  world.advance(15min);
  world.end_watch(0, "0");
  EXPECT_EQ(world.watches(0), 2u) << "a server may end it when it likes";
  world.say(0, kServing);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
  world.end_watch(0, "0");
  EXPECT_EQ(world.watches(0), 2u) << "a server that answers and ends isn't asked in a circle";
  world.advance(1s);
  EXPECT_EQ(world.watches(0), 3u);
}

TEST(ClientHealthTest, an_answer_that_is_none_is_a_failure) {
  World world({"a:1"});
  world.say(0, "\x08");
  EXPECT_EQ(world.conn->state(), ConnectivityState::kTransientFailure);
  world.say(0,
            "\x12\x05"
            "ab");
  EXPECT_EQ(world.conn->state(), ConnectivityState::kTransientFailure) << "longer than it is";
  world.say(0,
            "\x12\x02"
            "ab\x19"
            "12345678\x25"
            "1234\x08\x01");
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady) << "fields that nobody knows yet are skipped";
}

TEST(ClientHealthTest, a_lost_connection_ends_the_watch_and_a_new_one_begins_another) {
  World world({"a:1"});
  world.say(0, kServing);
  world.at(0).close();
  world.settle();
  world.advance(2s);
  ASSERT_EQ(world.network.servers.size(), 2u);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kConnecting);
  world.say(1, kServing);
  EXPECT_EQ(world.call(), "OK");
}

TEST(ClientHealthTest, pick_first_does_not_ask) {
  World world({"a:1"}, R"({"healthCheckConfig": {"serviceName": "a.B"}})");
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
  EXPECT_TRUE(world.at(0).requests.empty());
}

TEST(ClientHealthTest, nobody_asks_without_a_config_or_when_the_options_forbid_it) {
  World silent({"a:1"}, kDoesNotAsk);
  EXPECT_EQ(silent.conn->state(), ConnectivityState::kReady);
  EXPECT_TRUE(silent.at(0).requests.empty());
  World forbidden({"a:1"}, kAsks, {.disable_health_check = true});
  EXPECT_EQ(forbidden.conn->state(), ConnectivityState::kReady);
  EXPECT_TRUE(forbidden.at(0).requests.empty());
}

TEST(ClientHealthTest, a_new_config_changes_who_is_asked_for) {
  World world({"a:1"}, kDoesNotAsk);
  EXPECT_EQ(world.call(), "OK");
  const auto configure = [&](std::string_view text) {
    ResolverState state;
    state.endpoints.push_back(Endpoint{{*Address::parse("a:1")}});
    state.service_config = ServiceConfig::parse(text);
    world.resolver.update(state);
    world.settle();
  };
  configure(kAsks);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kConnecting);
  world.say(0, kNotServing);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kTransientFailure);
  configure(R"({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "c.D"}})");
  EXPECT_EQ(world.watch(0).messages().at(0),
            "\x0a\x03"
            "c.D");
  EXPECT_EQ(world.watches(0), 2u);
  world.say(0, kServing);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
  configure(kDoesNotAsk);
  EXPECT_TRUE(world.watch(0).reset.has_value()) << "nobody wants to know any more";
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
}

TEST(ClientHealthTest, watches_are_no_calls_of_the_channel_and_do_not_keep_it_from_idling) {
  World world({"a:1"}, kAsks, {.idle_timeout = 1min});
  world.say(0, kServing);
  EXPECT_EQ(world.conn->counters().calls_started, 0u);
  EXPECT_EQ(world.conn->counters().attempts, 0u);
  world.advance(3min);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kIdle);
}

TEST(ClientHealthTest, closing_ends_it_whatever_it_is_doing) {
  World before_the_answer({"a:1"});
  before_the_answer.conn->close();
  before_the_answer.settle();
  World between_two({"a:1"});
  between_two.end_watch(0, "13");
  between_two.conn->close();
  between_two.settle();
  World serving({"a:1"});
  serving.say(0, kServing);
  serving.conn->close();
  serving.settle();
  EXPECT_EQ(serving.conn->state(), ConnectivityState::kShutdown);
}

}  // namespace
}  // namespace gaggle
