// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/rpc_service.h"

#include <gtest/gtest.h>

#include <chrono>

#include "gaggle/cache/cache.h"
#include "gaggle/cache/error_reason.h"
#include "gaggle/cache/rpc_metadata.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/in_process.h"
#include "gaggle_cache.gaggle.h"
#include "groupcache.gaggle.h"

namespace gaggle::cache {
namespace {

using namespace std::chrono_literals;

// "brief" lives for a minute; "missing" isn't there; everything else is "value of KEY".
class SimpleLoader final : public Loader {
 public:
  Task<Result<Value>> load(const LoadContext& context, std::string_view key) override {
    if (key == "missing") return Task<Result<Value>>::ready(Status::not_found("no such key"));
    if (key == "broken") return Task<Result<Value>>::ready(Status::data_loss("the origin is broken"));
    Value value{Bytes::copy_of("value of " + std::string(key))};
    if (key == "brief") value.expiry = context.loop().now() + 1min;
    return Task<Result<Value>>::ready(std::move(value));
  }
};

struct RpcServiceTest : ::testing::Test {
  LoopGroup loops{1};
  Cache cache;
  CacheService service{cache};
  std::unique_ptr<InProcessConn> conn = *InProcessConn::create(loops);
  Metadata sent, trailer;
  groupcachepb::Response response;

  void SetUp() override {
    ASSERT_TRUE(cache.add_group("g", {}, std::make_unique<SimpleLoader>()));
    ASSERT_TRUE(service.register_with(*conn).is_ok());
  }
  Status get(std::string_view group, std::string_view key) {
    groupcachepb::GroupCacheClient client(*conn);
    groupcachepb::Request request;
    request.set_groupname(std::string(group));
    request.set_key(std::string(key));
    response.Clear();
    trailer.clear();
    return client.BlockingGet(Context().with_timeout(20s), request, response, {.metadata = &sent, .trailer = &trailer});
  }
};

TEST_F(RpcServiceTest, gives_values_loaded_or_kept) {
  ASSERT_TRUE(get("g", "Tom").is_ok());
  EXPECT_EQ(response.value(), "value of Tom");
  ASSERT_TRUE(get("g", "Tom").is_ok());
  EXPECT_EQ(response.value(), "value of Tom");
  EXPECT_FALSE(response.has_ttl_left_ms()) << "it lives for ever";
  EXPECT_EQ(response.expire(), 0);
  EXPECT_EQ(cache.group("g")->counters().server_requests, 2u);
  EXPECT_EQ(cache.group("g")->counters().cache_hits, 1u);
}

TEST_F(RpcServiceTest, tells_the_time_that_is_left) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(get("g", "brief").is_ok());
    EXPECT_GT(response.ttl_left_ms(), 30'000);
    EXPECT_LE(response.ttl_left_ms(), 60'000);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto left = std::chrono::nanoseconds(response.expire()) - now;
    EXPECT_GT(left, 30s) << "the family's field: nanoseconds since 1970";
    EXPECT_LE(left, 61s);
  }
}

TEST_F(RpcServiceTest, an_unknown_group_is_named_and_has_a_reason) {
  const Status status = get("scores", "k");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "there is no group scores");
  EXPECT_EQ(reason_of(status), kUnknownGroup);
}

// [31]
TEST_F(RpcServiceTest, a_huge_name_is_not_echoed_whole_nor_cut_inside_a_character) {
  std::string name = "a";
  for (int i = 0; i < 10'000; ++i) name += "\xc3\xbc";
  const Status status = get(name, "k");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_TRUE(status.message().ends_with("\xc3\xbc...")) << status.message();
  EXPECT_LT(status.message().size(), 300u);
}

TEST_F(RpcServiceTest, refuses_what_is_empty_or_too_long) {
  EXPECT_EQ(get("", "k").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(get("g", "").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(get("g", std::string(kMaxKeyBytes, 'k')).code(), StatusCode::kOk);
  EXPECT_EQ(get("g", std::string(kMaxKeyBytes + 1, 'k')).code(), StatusCode::kInvalidArgument);
}

TEST_F(RpcServiceTest, the_loaders_status_comes_through) {
  EXPECT_EQ(get("g", "missing"), Status::not_found("no such key"));
  EXPECT_EQ(get("g", "broken"), Status::data_loss("the origin is broken"));
  EXPECT_FALSE(is_authoritative(trailer)) << "a client has no use for the mark";
}

TEST_F(RpcServiceTest, an_error_for_another_node_is_marked_as_our_word) {
  ASSERT_TRUE(write_hop({"a:1", 1, 1}, sent).is_ok());
  EXPECT_EQ(get("g", "missing"), Status::not_found("no such key"));
  EXPECT_TRUE(is_authoritative(trailer));
  EXPECT_EQ(get("scores", "k").code(), StatusCode::kNotFound);
  EXPECT_FALSE(is_authoritative(trailer)) << "not having the group is no word about the key";
}

TEST_F(RpcServiceTest, shows_its_counters) {
  ASSERT_TRUE(get("g", "Tom").is_ok());
  ASSERT_TRUE(cache.add_group("another", {.max_bytes = 1'000}, std::make_unique<SimpleLoader>()));
  v1::CacheAdminClient admin(*conn);
  v1::StatsRequest request;
  v1::StatsResponse stats;
  ASSERT_TRUE(admin.BlockingStats(Context().with_timeout(20s), request, stats).is_ok());
  ASSERT_EQ(stats.groups_size(), 2);
  EXPECT_EQ(stats.groups(0).name(), "another");
  EXPECT_EQ(stats.groups(0).main_store().max_bytes(), 1'000u);
  EXPECT_EQ(stats.groups(1).gets(), 1u);
  EXPECT_EQ(stats.groups(1).local_loads(), 1u);
  EXPECT_EQ(stats.groups(1).main_store().items(), 1u);
  request.set_group("g");
  ASSERT_TRUE(admin.BlockingStats(Context().with_timeout(20s), request, stats).is_ok());
  EXPECT_EQ(stats.groups_size(), 1);
  request.set_group("nobody");
  EXPECT_EQ(admin.BlockingStats(Context().with_timeout(20s), request, stats).code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace gaggle::cache
