// SPDX-License-Identifier: Apache-2.0
//
// What a `gaggle serve` process says of itself: its health, and what it serves.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "cluster_testing.h"
#include "gaggle/net/block_on.h"
#include "gaggle/rpc/credentials/credentials.h"
#include "gaggle/services/reflection_client.h"
#include "grpc/health/v1/health.gaggle.h"

#ifdef GAGGLE_PROGRAM

namespace gaggle::e2e {
namespace {

using namespace std::chrono_literals;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

struct NodeServicesTest : ::testing::Test {
  OriginDatabase origin;
  Node node{{.groups = {origin.group()}}};
  LoopGroup loops{1};
  std::unique_ptr<ClientConn> conn =
      std::move(*ClientConn::create(loops, node.address(), {.credentials = insecure_credentials()}));
  grpc::health::v1::HealthClient health{*conn};
  const Context context = Context().with_timeout(patience(20s));
};

TEST_F(NodeServicesTest, a_node_is_healthy_as_a_whole_and_per_service) {
  for (const char* service : {"", "groupcachepb.GroupCache", "gaggle.cache.v1.CacheAdmin"}) {
    HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    const Status status = health.BlockingCheck(context, request, response);
    ASSERT_TRUE(status.is_ok()) << status.to_string();
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING) << service;
  }
}

TEST_F(NodeServicesTest, a_node_describes_what_it_serves) {
  ReflectionClient reflection(*conn);
  const auto names = block_on(loops.loop(0), reflection.list_services(context));
  ASSERT_TRUE(names.is_ok()) << names.status().to_string();
  EXPECT_TRUE(std::ranges::find(*names, "groupcachepb.GroupCache") != names->end());
  const auto service = block_on(loops.loop(0), reflection.find_service(context, "groupcachepb.GroupCache"));
  ASSERT_TRUE(service.is_ok()) << service.status().to_string();
  EXPECT_NE((*service)->FindMethodByName("Get"), nullptr);
}

Task<Status> watch(grpc::health::v1::HealthClient& health, Context context, std::vector<int>& seen, const Node& node) {
  const HealthCheckRequest request;
  auto opening = health.Watch(context, request);
  auto stream = co_await std::move(opening);
  if (!stream) co_return stream.error();
  for (;;) {
    HealthCheckResponse response;
    Result<bool> more = co_await stream->recv(response);
    if (!more) co_return more.error();
    if (!*more) co_return Status::ok();
    seen.push_back(response.status());
    if (seen.size() == 1) node.signal(SIGTERM);
  }
}

TEST_F(NodeServicesTest, sigterm_tells_who_watches_and_waits_for_none_of_them) {
  std::vector<int> seen;
  const auto begin = std::chrono::steady_clock::now();
  const Status status = block_on(loops.loop(0), watch(health, context, seen, node));
  EXPECT_EQ(seen, (std::vector<int>{HealthCheckResponse::SERVING, HealthCheckResponse::NOT_SERVING}));
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status.to_string();
  EXPECT_EQ(node.wait(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, patience(5s)) << "a Watch has no end of its own";
}

}  // namespace
}  // namespace gaggle::e2e

#endif  // GAGGLE_PROGRAM
