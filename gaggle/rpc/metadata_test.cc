// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gaggle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Metadata, keeps_order_and_repetitions) {
  Metadata metadata;
  EXPECT_TRUE(metadata.add("b", "1"));
  EXPECT_TRUE(metadata.add("a", "2"));
  EXPECT_TRUE(metadata.add("b", "3"));
  EXPECT_EQ(metadata.get("b"), "1") << "the first";
  EXPECT_EQ(metadata.get("c"), std::nullopt);
  EXPECT_THAT(metadata.get_all("b"), ElementsAre("1", "3"));
  std::string keys;
  for (const auto& [key, value] : metadata) keys += key;
  EXPECT_EQ(keys, "bab");
}

TEST(Metadata, lowers_keys) {
  Metadata metadata;
  EXPECT_TRUE(metadata.add("X-Request-Id", "7"));
  EXPECT_EQ(metadata.get("x-request-id"), "7");
}

TEST(Metadata, takes_any_bytes_for_binary_keys_only) {
  Metadata metadata;
  EXPECT_TRUE(metadata.add("x-bin", std::string_view("\0\n", 2)));
  Status refused = metadata.add("x", "a\nb");
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.message(), HasSubstr("-bin")) << "the message says what to do instead";
  EXPECT_EQ(metadata.size(), 1u);
}

TEST(Metadata, refuses_what_can_not_travel) {
  Metadata metadata;
  for (const char* key : {"", "a b", "te", ":path", "grpc-timeout", "GRPC-Status", "Content-Type"}) {
    EXPECT_EQ(metadata.add(key, "v").code(), StatusCode::kInvalidArgument) << key;
  }
  EXPECT_TRUE(metadata.empty());
}

TEST(Metadata, takes_what_was_received_as_it_is) {
  Metadata metadata;
  metadata.add_received(":authority", "example.org");
  metadata.add_received("x", "\xFF");
  EXPECT_EQ(metadata.get(":authority"), "example.org");
  EXPECT_EQ(metadata.get("x"), "\xFF");
}

TEST(Metadata, what_was_received_is_checked_before_it_is_sent_on) {
  Metadata good, foreign, together;
  EXPECT_TRUE(good.add("a", "v"));
  EXPECT_TRUE(good.check());
  foreign.add_received("a", "v");
  foreign.add_received("b-bin", "\xFF");
  EXPECT_TRUE(foreign.check()) << "nothing is wrong with it";
  for (const auto& [key, value] : {std::pair("x", "\xFF"), std::pair("x", "a\r\nb: c"), std::pair("x", " v"),
                                   std::pair("x y", "v"), std::pair("X", "v"), std::pair(":authority", "v"),
                                   std::pair("user-agent", "v"), std::pair("grpc-timeout", "1S")}) {
    Metadata bad;
    bad.add_received(key, value);
    EXPECT_EQ(bad.check().code(), StatusCode::kInvalidArgument) << key;
    together = good;
    together.append(bad);
    EXPECT_EQ(together.check().code(), StatusCode::kInvalidArgument) << key << ": in whatever it's put";
    together.clear();
    EXPECT_TRUE(together.check());
  }
}

TEST(Metadata, appends_another_or_itself) {
  Metadata metadata;
  EXPECT_TRUE(metadata.add("a", std::string(100, '1')));
  EXPECT_TRUE(metadata.add("b", "2"));
  metadata.append(metadata);
  EXPECT_EQ(metadata.size(), 4u);
  EXPECT_THAT(metadata.get_all("a"), ElementsAre(std::string(100, '1'), std::string(100, '1')));
}

TEST(Metadata, removes_every_value_of_a_key) {
  Metadata metadata;
  for (const char* key : {"a", "b", "a"}) EXPECT_TRUE(metadata.add(key, "v"));
  metadata.remove("a");
  EXPECT_EQ(metadata.size(), 1u);
  metadata.clear();
  EXPECT_TRUE(metadata.empty());
}

}  // namespace
}  // namespace gaggle
