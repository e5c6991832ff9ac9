// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gaggle/rpc/metadata.h"

namespace gaggle::wire {
namespace {

using testing::ElementsAre;

TEST(WireMetadata, keys_are_lower_case_digits_and_three_signs) {
  for (std::string_view key : {"a", "a-b_c.d9", "x-trace-bin"}) EXPECT_TRUE(valid_metadata_key(key)) << key;
  for (std::string_view key : {"", "A", "a b", "a:b", "a\n", "\xC3\xA4", "a/b"}) {
    EXPECT_FALSE(valid_metadata_key(key)) << key;
  }
}

TEST(WireMetadata, plain_values_are_printable_and_keep_their_ends) {
  EXPECT_TRUE(valid_metadata_text(""));
  EXPECT_TRUE(valid_metadata_text("a b~"));
  for (std::string_view value : {" a", "a ", "a\tb", "a\r\nb", "\x7F", "\xC3\xA4"}) {
    EXPECT_FALSE(valid_metadata_text(value)) << value;
  }
}

TEST(WireMetadata, what_belongs_to_the_protocol_is_reserved) {
  for (std::string_view key : {":path", ":authority", "content-type", "te", "user-agent", "grpc-status", "grpc-timeout",
                               "grpc-encoding", "grpc-accept-encoding", "grpc-status-details-bin", "grpc-anything-new",
                               "connection", "transfer-encoding", "host"}) {
    EXPECT_TRUE(is_reserved_key(key)) << key;
  }
  for (std::string_view key : {"grpc-previous-rpc-attempts", "grpc-retry-pushback-ms", "authorization", "x-grpc"}) {
    EXPECT_FALSE(is_reserved_key(key)) << key;
  }
}

TEST(WireMetadata, handlers_see_what_the_runtime_does_not_consume) {
  for (std::string_view key : {":path", ":method", "grpc-timeout", "te", "content-type"}) {
    EXPECT_TRUE(is_consumed_key(key)) << key;
  }
  for (std::string_view key : {":authority", "user-agent", "grpc-previous-rpc-attempts", "grpc-trace-bin", "x"}) {
    EXPECT_FALSE(is_consumed_key(key)) << key;
  }
}

TEST(WireMetadata, binary_values_travel_as_base64) {
  std::string buffer;
  EXPECT_EQ(wire_value("x-bin", std::string_view("\0\xFF", 2), buffer), "AP8");
  EXPECT_EQ(wire_value("x-bin", "f", buffer), "Zg") << "the buffer starts afresh";
  EXPECT_EQ(wire_value("x", "as it is", buffer), "as it is");
}

TEST(WireMetadata, binary_values_come_padded_or_not_and_joined_or_not) {
  Metadata metadata;
  EXPECT_TRUE(add_wire_field("x-bin", "Zm8=", metadata));
  EXPECT_TRUE(add_wire_field("x-bin", "Zm8", metadata));
  EXPECT_TRUE(add_wire_field("x-bin", "Zg==, Zm8 ,Zm9v", metadata));
  EXPECT_TRUE(add_wire_field("x-bin", "", metadata));
  EXPECT_THAT(metadata.get_all("x-bin"), ElementsAre("fo", "fo", "f", "fo", "foo", ""))
      << "intermediaries join equal keys with commas, and each piece was encoded alone";
}

TEST(WireMetadata, a_bad_binary_value_adds_nothing) {
  Metadata metadata;
  EXPECT_FALSE(add_wire_field("x-bin", "Zg, no!", metadata));
  EXPECT_TRUE(metadata.empty());
}

TEST(WireMetadata, plain_values_are_taken_as_they_are) {
  Metadata metadata;
  EXPECT_TRUE(add_wire_field("x", " \ta, b\x80 ", metadata));
  EXPECT_EQ(metadata.get("x"), "a, b\x80") << "never fails on what HTTP allows, never splits, strips what HTTP strips";
}

}  // namespace
}  // namespace gaggle::wire
