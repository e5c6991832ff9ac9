// SPDX-License-Identifier: Apache-2.0
//
// A unary call allocates nothing once its server and its client are warm: counted on the thread of
// each, over real sockets.
#include <gtest/gtest.h>

#include <asio/use_future.hpp>
#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "counting_allocator.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/spawn.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/server.h"
#include "gaggle/rpc/stats_handler.h"
#include "groupcache.gaggle.h"

namespace gaggle {
namespace {

constexpr std::string_view kValue = "a value that no small string has room for";

class Values final : public groupcachepb::UnimplementedGroupCacheServer {
 public:
  // What one call allocates here is what the test is able to notice.
  std::atomic<bool> allocate_in_handler = false;
  std::atomic<uint64_t> allocations = 0;  // of the server's thread, when the latest call began
  std::atomic<int> calls = 0;

 private:
  Task<Status> Get(ServerContext& /*context*/, const groupcachepb::Request& /*request*/,
                   groupcachepb::Response& response) override {
    ++calls;
    allocations = allocations_of_this_thread();
    if (allocate_in_handler) delete new std::string(64, 'x');
    // Unlike set_value(data, size), which makes a string first.
    response.mutable_value()->assign(kValue);
    co_return Status::ok();
  }
};

// What the same number of calls allocates on either side.
struct Cost {
  uint64_t client = 0;
  uint64_t server = 0;
};

class UnaryCall : public testing::Test {
 protected:
  static constexpr int kCalls = 1000;
  static constexpr int kParallel = 100;

  void SetUp() override { start({}); }
  void start(ServerOptions options) {
    auto server = Server::create(server_loops_, std::move(options));
    ASSERT_TRUE(server);
    server_ = *std::move(server);
    ASSERT_TRUE(groupcachepb::RegisterGroupCacheServer(*server_, values_).is_ok());
    const auto port = server_->listen("127.0.0.1:0");
    ASSERT_TRUE(port);
    port_ = *port;
    connect({});
  }
  void connect(ClientConnOptions options) {
    options.credentials = insecure_credentials();
    auto conn = ClientConn::create(client_loops_, "127.0.0.1:" + std::to_string(port_), std::move(options));
    ASSERT_TRUE(conn);
    conn_ = *std::move(conn);
  }
  void TearDown() override {
    conn_.reset();
    if (server_ != nullptr) server_->stop();
  }

  Task<Cost> count(Context context) {
    groupcachepb::GroupCacheClient client{*conn_};
    groupcachepb::Request request;
    request.set_groupname("a group with a name of some length");
    request.set_key("a key of more characters than a small string holds");
    groupcachepb::Response response;
    Cost before;
    for (int call = 0; call < 2 * kCalls; ++call) {
      if (call == kCalls) before = {allocations_of_this_thread(), values_.allocations};
      Status status = co_await client.Get(context, request, response);
      EXPECT_TRUE(status.is_ok()) << status.to_string();
      if (!status.is_ok()) break;
    }
    co_return Cost{allocations_of_this_thread() - before.client, values_.allocations - before.server};
  }
  // Calls one after the other, until the server has seen `total`.
  Task<void> call_until(int total) {
    Context context;
    groupcachepb::GroupCacheClient client{*conn_};
    groupcachepb::Request request;
    request.set_key("a key of more characters than a small string holds");
    groupcachepb::Response response;
    while (values_.calls < total) {
      Status status = co_await client.Get(context, request, response);
      EXPECT_TRUE(status.is_ok()) << status.to_string();
      if (!status.is_ok()) break;
    }
  }
  void call_in_parallel_until(int total) {
    std::vector<std::future<void>> tasks;
    for (int task = 0; task < kParallel; ++task) {
      tasks.push_back(spawn(client_loops_.loop(0), call_until(total), asio::use_future));
    }
    for (auto& task : tasks) task.get();
  }
  Cost cost_of(const Context& context) { return spawn(client_loops_.loop(0), count(context), asio::use_future).get(); }

  Values values_;
  LoopGroup server_loops_{1};
  LoopGroup client_loops_{1};
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
  std::unique_ptr<ClientConn> conn_;
};

TEST_F(UnaryCall, allocates_nothing_on_the_server) { EXPECT_EQ(cost_of(Context{}).server, 0u); }

TEST_F(UnaryCall, with_a_deadline_allocates_nothing_on_the_server) {
  // Its remaining time differs in each call, and so does its header block.
  const Context context = Context{}.with_timeout(std::chrono::minutes{10});
  EXPECT_EQ(cost_of(context).server, 0u);
}

TEST_F(UnaryCall, among_a_hundred_others_allocates_nothing_on_the_server) {
  call_in_parallel_until(10 * kCalls);
  const uint64_t before = values_.allocations;
  call_in_parallel_until(20 * kCalls);
  EXPECT_EQ(values_.allocations - before, 0u);
}

TEST_F(UnaryCall, allocates_nothing_on_the_client) { EXPECT_EQ(cost_of(Context{}).client, 0u); }

// What a retry needs is made when there is one.
TEST_F(UnaryCall, with_a_service_configs_policy_allocates_nothing_on_the_client) {
  connect({.default_service_config = R"({
      "methodConfig": [{"name": [{}], "timeout": "600s", "maxResponseMessageBytes": 100000,
          "retryPolicy": {"maxAttempts": 3, "initialBackoff": "1s", "maxBackoff": "1s", "backoffMultiplier": 1,
                          "retryableStatusCodes": ["UNAVAILABLE"]}}],
      "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}})"});
  EXPECT_EQ(cost_of(Context{}).client, 0u);
}

// Tags are kept with the call, whose memory is used again.
TEST_F(UnaryCall, with_stats_handlers_allocates_nothing_on_either_side) {
  conn_.reset();
  start({.stats_handlers = {std::make_shared<StatsHandler>(), std::make_shared<StatsHandler>()}});
  connect({.stats_handlers = {std::make_shared<StatsHandler>(), std::make_shared<StatsHandler>()}});
  const Cost cost = cost_of(Context{});
  EXPECT_EQ(cost.client, 0u);
  EXPECT_EQ(cost.server, 0u);
}

TEST_F(UnaryCall, one_allocation_more_would_be_seen) {
  values_.allocate_in_handler = true;
  EXPECT_GE(cost_of(Context{}).server, uint64_t{kCalls});
}

}  // namespace
}  // namespace gaggle
