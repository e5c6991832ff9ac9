// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/rpc_answer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace gaggle::cache {
namespace {

const MessageType& type = *message_type<RpcAnswer>();

std::string encoded(const RpcAnswer& answer) {
  size_t size = 0;
  EXPECT_TRUE(type.byte_size(&answer, &size));
  std::string result(size, '?');
  type.serialize(&answer, reinterpret_cast<uint8_t*>(result.data()));
  return result;
}

TEST(RpcAnswer, is_a_response_to_who_reads_it) {
  for (const size_t value_bytes : {0, 1, 127, 128, 16'383, 16'384, 3 << 20}) {
    for (const bool with_fields : {false, true}) {
      RpcAnswer answer;
      answer.value = Bytes::take(std::string(value_bytes, 'v'));
      if (with_fields) {
        answer.fields.set_ttl_left_ms(0);
        answer.fields.set_expire(-1);
      }
      groupcachepb::Response read;
      ASSERT_TRUE(read.ParseFromString(encoded(answer))) << value_bytes;
      EXPECT_EQ(read.value(), answer.value.view());
      EXPECT_EQ(read.has_ttl_left_ms(), with_fields);
      EXPECT_EQ(read.expire(), with_fields ? -1 : 0);
      EXPECT_EQ(read.ByteSizeLong(), encoded(answer).size()) << "no byte more than protobuf itself needs";
    }
  }
}

TEST(RpcAnswer, shares_its_value_as_the_end_of_its_encoding) {
  RpcAnswer answer;
  answer.fields.set_minute_qps(1.5);
  answer.value = Bytes::copy_of("the value");
  const Bytes* const tail = type.shared_tail(&answer);
  ASSERT_NE(tail, nullptr);
  EXPECT_EQ(tail->data(), answer.value.data());

  const std::string whole = encoded(answer);
  std::string head(whole.size() - tail->size(), '?');
  type.serialize_head(&answer, reinterpret_cast<uint8_t*>(head.data()));
  EXPECT_EQ(head + std::string(tail->view()), whole);
}

TEST(RpcAnswer, can_be_read_and_cleared_like_any_message) {
  RpcAnswer answer;
  groupcachepb::Response sent;
  sent.set_value("v");
  sent.set_ttl_left_ms(7);
  const std::string bytes = sent.SerializeAsString();
  ASSERT_TRUE(type.parse(&answer, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}));
  EXPECT_EQ(answer.value.view(), "v");
  EXPECT_EQ(answer.fields.ttl_left_ms(), 7);
  EXPECT_TRUE(answer.fields.value().empty());
  type.clear(&answer);
  EXPECT_EQ(encoded(answer), "");
  EXPECT_FALSE(type.parse(&answer, std::span(reinterpret_cast<const uint8_t*>("\x0a\x05"), 2))) << "cut off";
}

}  // namespace
}  // namespace gaggle::cache
