// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/cache.h"

#include <gtest/gtest.h>

#include "gaggle/cache/cache_testing.h"

namespace gaggle::cache {
namespace {

using Members = std::vector<std::string>;

struct CacheTest : ::testing::Test {
  Origin origin;
  FakeNetwork network;
  Cache cache{network.factory()};

  Status add(std::string name, GroupOptions options = {}) {
    return cache.add_group(std::move(name), options, origin.loader()).status();
  }
  Status members(std::string self, Members all) { return cache.set_members(std::move(self), all); }
};

TEST_F(CacheTest, finds_groups_by_name) {
  ASSERT_TRUE(add("scores").is_ok());
  ASSERT_TRUE(add("names").is_ok());
  EXPECT_EQ(cache.group("scores")->name(), "scores");
  EXPECT_EQ(cache.group("score"), nullptr);
  ASSERT_EQ(cache.groups().size(), 2u);
  EXPECT_EQ(cache.groups()[0]->name(), "names") << "sorted";
}

TEST_F(CacheTest, refuses_groups_that_cannot_work) {
  ASSERT_TRUE(add("scores").is_ok());
  EXPECT_EQ(add("scores").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(add("").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(add(std::string(257, 'n')).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(add("g", {.max_bytes = 0}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(add("g", {.ttl = Duration::zero()}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(add("g", {.load_timeout = Duration::zero()}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(cache.add_group("g", {}, nullptr).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(CacheTest, a_groups_name_is_utf8) {
  EXPECT_TRUE(add("sch\xc3\xb6n \xe2\x82\xac \xf0\x9f\xa6\x86").is_ok());
  for (const char* name : {"\xff", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80"}) {
    EXPECT_EQ(add(name).code(), StatusCode::kInvalidArgument) << "bytes of " << name;
  }
}

TEST_F(CacheTest, has_no_members_at_first) {
  EXPECT_TRUE(cache.membership()->alone());
  EXPECT_FALSE(cache.membership()->has_peer("a:1"));
}

TEST_F(CacheTest, knows_its_peers_and_not_itself_as_one) {
  ASSERT_TRUE(members("a:1", {"a:1", "b:1", "c:1"}).is_ok());
  const auto membership = cache.membership();
  EXPECT_EQ(membership->self(), "a:1");
  EXPECT_TRUE(membership->has_peer("b:1"));
  EXPECT_FALSE(membership->has_peer("a:1"));
  EXPECT_FALSE(membership->has_peer("d:1"));
  EXPECT_FALSE(membership->alone());
}

// [29]
TEST_F(CacheTest, refuses_members_without_itself_and_keeps_what_was) {
  ASSERT_TRUE(members("a:1", {"a:1", "b:1"}).is_ok());
  EXPECT_EQ(members("a:1", {"b:1", "c:1"}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(members("a:1", {"a:1", "nonsense"}).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(cache.membership()->has_peer("b:1"));
}

TEST_F(CacheTest, peers_that_stay_are_kept) {
  ASSERT_TRUE(members("a:1", {"a:1", "b:1", "c:1"}).is_ok());
  const auto before = cache.membership();
  ASSERT_TRUE(members("a:1", {"a:1", "b:1", "d:1"}).is_ok());
  const auto after = cache.membership();
  EXPECT_EQ(before->shared_peer("b:1"), after->shared_peer("b:1")) << "and with it its connection";
  EXPECT_EQ(after->shared_peer("c:1"), nullptr);
  EXPECT_NE(before->table().version(), after->table().version());
}

TEST(CacheAlone, refuses_members_without_a_factory_of_peers) {
  Cache cache;
  const Members two = {"a:1", "b:1"};
  EXPECT_EQ(cache.set_members("a:1", two).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(cache.set_members("a:1", Members{"a:1"})) << "itself alone needs none";
  EXPECT_TRUE(cache.membership()->alone());
}

}  // namespace
}  // namespace gaggle::cache
