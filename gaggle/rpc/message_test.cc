// SPDX-License-Identifier: Apache-2.0
//
// Bytes as a message; protobuf's are tested in test/codegen/messages_test.cc.
#include "gaggle/rpc/message.h"

#include <gtest/gtest.h>

#include <utility>

namespace gaggle {
namespace {

TEST(RawMessage, is_its_own_encoding) {
  Bytes bytes = Bytes::copy_of("any\0thing");
  const ConstMessage message = message_of(std::as_const(bytes));
  size_t size = 0;
  ASSERT_TRUE(message.type->byte_size(message.object, &size));
  std::string encoded(size, '?');
  message.type->serialize(message.object, reinterpret_cast<uint8_t*>(encoded.data()));
  EXPECT_EQ(encoded, bytes.view());

  Bytes parsed;
  const Message target = message_of(parsed);
  EXPECT_TRUE(target.type->parse(target.object, bytes.span()));
  EXPECT_EQ(parsed, bytes);
  EXPECT_NE(parsed.data(), bytes.data()) << "parse can't keep what it is only shown";
}

TEST(RawMessage, is_shared_rather_than_copied) {
  Bytes bytes = Bytes::copy_of("content");
  const MessageType& type = *message_type<Bytes>();
  EXPECT_EQ(type.shared_tail(&bytes)->data(), bytes.data());
  Bytes other;
  type.adopt_bytes(&other, Bytes{bytes});
  EXPECT_EQ(other.data(), bytes.data());
}

TEST(RawMessage, clears_and_lives_on_the_heap_of_the_runtime) {
  const MessageType& type = *message_type<Bytes>();
  void* object = type.create();
  *static_cast<Bytes*>(object) = Bytes::copy_of("content");
  type.clear(object);
  size_t size = 1;
  EXPECT_TRUE(type.byte_size(object, &size));
  EXPECT_EQ(size, 0u);
  type.serialize(object, nullptr);
  type.destroy(object);
}

}  // namespace
}  // namespace gaggle
