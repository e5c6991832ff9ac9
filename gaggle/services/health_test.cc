// SPDX-License-Identifier: Apache-2.0
#include "gaggle/services/health.h"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "gaggle/rpc/server.h"
#include "gaggle/services/services_testing.h"
#include "grpc/health/v1/health.gaggle.h"

namespace gaggle {
namespace {

namespace health = grpc::health::v1;
using health::HealthCheckRequest;
using health::HealthCheckResponse;

HealthCheckRequest about(const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  return request;
}

struct HealthWorld {
  HealthServer health;
  ServicesWorld world;
  health::HealthClient client{*world.conn};

  explicit HealthWorld(HealthOptions options = {}) : health(options) {
    EXPECT_TRUE(health.register_with(*world.conn).is_ok());
  }
  ~HealthWorld() { world.close(); }

  // "SERVING", or the call's status in words.
  std::string check(const std::string& service) {
    const HealthCheckRequest request = about(service);
    HealthCheckResponse response;
    const Status status = world.run(client.Check({}, request, response));
    if (!status) return std::string(status_code_name(status.code()));
    return HealthCheckResponse::ServingStatus_Name(response.status());
  }
};

// One Watch call that reads as fast as it can.
class Watch {
 public:
  Watch(HealthWorld& world, const std::string& service) : world_(world), service_(service) {
    const Loop::Enter enter(world.world.time.loop);
    start(run(), end_, source_.context());
  }
  ~Watch() {
    source_.cancel();
    world_.world.settle();
  }
  std::vector<std::string> seen;
  bool over() const { return end_.ended(); }
  Status end() { return end_.take(); }

 private:
  Task<Status> run() {
    const HealthCheckRequest request = about(service_);
    auto opening = world_.client.Watch(source_.context(), request);
    auto stream = co_await std::move(opening);
    if (!stream) co_return stream.error();
    for (;;) {
      HealthCheckResponse response;
      Result<bool> more = co_await stream->recv(response);
      if (!more) co_return more.error();
      if (!*more) co_return Status::ok();
      seen.push_back(HealthCheckResponse::ServingStatus_Name(response.status()));
    }
  }

  HealthWorld& world_;
  std::string service_;
  CancelSource source_;
  TaskRecord<Status> end_;
};

using Seen = std::vector<std::string>;

TEST(Health, check_tells_what_was_set_and_does_not_know_the_rest) {
  HealthWorld world;
  EXPECT_EQ(world.check(""), "SERVING") << "the server as a whole serves unless it says otherwise";
  EXPECT_EQ(world.check("a.B"), "NOT_FOUND");
  world.health.set("a.B", ServingStatus::kNotServing);
  EXPECT_EQ(world.check("a.B"), "NOT_SERVING");
  world.health.set("a.B", ServingStatus::kServing);
  EXPECT_EQ(world.check("a.B"), "SERVING");
  world.health.set("a.B", ServingStatus::kUnknown);
  EXPECT_EQ(world.check("a.B"), "UNKNOWN");
  world.health.set("a.B", ServingStatus::kServiceUnknown);
  EXPECT_EQ(world.check("a.B"), "NOT_FOUND");
}

TEST(Health, names_that_are_too_long_are_refused) {
  HealthWorld world;
  EXPECT_EQ(world.check(std::string(1024, 'x')), "NOT_FOUND");
  EXPECT_EQ(world.check(std::string(1025, 'x')), "INVALID_ARGUMENT");
  Watch watch(world, std::string(1025, 'x'));
  world.world.settle();
  ASSERT_TRUE(watch.over());
  EXPECT_EQ(watch.end().code(), StatusCode::kInvalidArgument) << "a watcher's name is kept, so it has a bound";
}

TEST(Health, list_tells_all_up_to_a_hundred) {
  HealthWorld world;
  world.health.set("a.B", ServingStatus::kNotServing);
  const auto list = [&](health::HealthListResponse& response) {
    const health::HealthListRequest request;
    return world.world.run(world.client.List({}, request, response));
  };
  health::HealthListResponse response;
  ASSERT_TRUE(list(response).is_ok());
  ASSERT_EQ(response.statuses_size(), 2);
  EXPECT_EQ(response.statuses().at("").status(), HealthCheckResponse::SERVING);
  EXPECT_EQ(response.statuses().at("a.B").status(), HealthCheckResponse::NOT_SERVING);
  for (int i = 0; i < 98; ++i) world.health.set("s" + std::to_string(i), ServingStatus::kServing);
  EXPECT_TRUE(list(response).is_ok());
  world.health.set("one too many", ServingStatus::kServing);
  EXPECT_EQ(list(response).code(), StatusCode::kResourceExhausted);
}

TEST(Health, watch_tells_the_status_at_once_and_each_change_once) {
  HealthWorld world;
  world.health.set("a.B", ServingStatus::kServing);
  Watch watch(world, "a.B");
  Watch other(world, "");
  world.world.settle();
  EXPECT_EQ(watch.seen, (Seen{"SERVING"}));
  world.health.set("a.B", ServingStatus::kNotServing);
  world.world.settle();
  world.health.set("a.B", ServingStatus::kNotServing);
  world.world.settle();
  EXPECT_EQ(watch.seen, (Seen{"SERVING", "NOT_SERVING"})) << "the same again is no news";
  EXPECT_EQ(other.seen, (Seen{"SERVING"})) << "news of one service are for those who watch it";
  EXPECT_FALSE(watch.over());
}

TEST(Health, who_watches_an_unknown_service_learns_when_it_comes_and_goes) {
  HealthWorld world;
  Watch watch(world, "a.B");
  world.world.settle();
  EXPECT_EQ(watch.seen, (Seen{"SERVICE_UNKNOWN"}));
  world.health.set("a.B", ServingStatus::kServing);
  world.world.settle();
  world.health.set("a.B", ServingStatus::kServiceUnknown);
  world.world.settle();
  EXPECT_EQ(watch.seen, (Seen{"SERVICE_UNKNOWN", "SERVING", "SERVICE_UNKNOWN"}));
}

TEST(Health, a_watcher_that_is_behind_gets_the_latest_only) {
  HealthWorld world;
  Watch watch(world, "");
  world.world.settle();
  for (int i = 0; i < 1000; ++i) {
    world.health.set("", i % 2 == 0 ? ServingStatus::kNotServing : ServingStatus::kServing);
  }
  world.health.set("", ServingStatus::kNotServing);
  world.world.settle();
  EXPECT_EQ(watch.seen, (Seen{"SERVING", "NOT_SERVING"})) << "nothing queues up for a slow reader";
}

TEST(Health, watchers_are_bounded_and_give_their_place_back) {
  HealthWorld world(HealthOptions{.max_watchers = 2});
  auto first = std::make_unique<Watch>(world, "");
  Watch second(world, "a.B");
  Watch third(world, "");
  world.world.settle();
  ASSERT_TRUE(third.over());
  EXPECT_EQ(third.end().code(), StatusCode::kResourceExhausted);
  first.reset();
  Watch fourth(world, "");
  world.world.settle();
  EXPECT_EQ(fourth.seen, (Seen{"SERVING"})) << "a client that left makes room";
}

TEST(Health, after_shutdown_nothing_serves_until_resume) {
  HealthWorld world;
  world.health.set("a.B", ServingStatus::kServing);
  Watch watch(world, "a.B");
  Watch stranger(world, "x.Y");
  world.world.settle();
  world.health.shutdown();
  world.health.set("a.B", ServingStatus::kServing);
  world.health.set("c.D", ServingStatus::kServing);
  world.world.settle();
  EXPECT_EQ(world.check(""), "NOT_SERVING");
  EXPECT_EQ(world.check("a.B"), "NOT_SERVING") << "what is set while shut down is ignored";
  EXPECT_EQ(world.check("c.D"), "NOT_FOUND");
  world.health.resume();
  world.world.settle();
  EXPECT_EQ(watch.seen, (Seen{"SERVING", "NOT_SERVING", "SERVING"}));
  EXPECT_EQ(stranger.seen, (Seen{"SERVICE_UNKNOWN"})) << "there is still no such service";
  world.health.set("c.D", ServingStatus::kNotServing);
  EXPECT_EQ(world.check("c.D"), "NOT_SERVING");
}

TEST(Health, at_the_end_watchers_are_told_and_let_go) {
  HealthWorld world;
  Watch watch(world, "");
  Watch stranger(world, "x.Y");
  world.world.settle();
  world.health.end();
  world.world.settle();
  EXPECT_EQ(watch.seen, (Seen{"SERVING", "NOT_SERVING"}));
  ASSERT_TRUE(watch.over());
  EXPECT_EQ(watch.end().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(stranger.over()) << "nobody holds up the server's shutdown";
  Watch late(world, "");
  world.world.settle();
  EXPECT_TRUE(late.over());
  world.health.resume();
  EXPECT_EQ(world.check(""), "NOT_SERVING") << "the end is for good";
}

TEST(Health, a_server_with_watchers_stops) {
  HealthWorld world;
  Watch watch(world, "");
  world.world.settle();
  world.world.conn->server().stop();
  world.world.time.advance(std::chrono::seconds{1});
  EXPECT_TRUE(watch.over());
  EXPECT_FALSE(watch.end().is_ok());
}

// For ThreadSanitizer: statuses are set where the watchers don't live.
TEST(Health, statuses_may_be_set_from_any_thread) {
  HealthServer health;
  LoopGroup loops(2);
  auto conn = std::move(*InProcessConn::create(loops));
  ASSERT_TRUE(health.register_with(*conn).is_ok());
  health::HealthClient client(*conn);
  std::vector<std::thread> setters;
  for (int t = 0; t < 2; ++t) {
    setters.emplace_back([&health] {
      for (int i = 0; i < 500; ++i) {
        health.set("a.B", i % 2 == 0 ? ServingStatus::kServing : ServingStatus::kNotServing);
      }
    });
  }
  for (int i = 0; i < 100; ++i) {
    const HealthCheckRequest request = about("a.B");
    HealthCheckResponse response;
    const Status status = client.BlockingCheck({}, request, response);
    EXPECT_TRUE(status.is_ok() || status.code() == StatusCode::kNotFound) << status.to_string();
  }
  for (std::thread& setter : setters) setter.join();
  EXPECT_EQ(health.status("a.B"), ServingStatus::kNotServing);
  conn.reset();
}

}  // namespace
}  // namespace gaggle
