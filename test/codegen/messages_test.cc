// SPDX-License-Identifier: Apache-2.0
//
// Protobuf messages as messages of the runtime (gaggle/rpc/protobuf.h).

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "fakes.h"
#include "gaggle/rpc/protobuf.h"
#include "kinds.pb.h"
#include "no_package.pb.h"

namespace gaggle::codegen_test {
namespace {

TEST(ProtobufMessages, unknown_fields_survive_parse_and_reserialise) {
  NewerAnswer newer;
  newer.set_text("text");
  newer.set_added(7);
  newer.mutable_added_part()->set_text("part");
  const std::string bytes = encoding_of(newer);

  Answer older;
  ASSERT_TRUE(decode(bytes, message_of(older)));
  older.set_text("changed");

  NewerAnswer again;
  ASSERT_TRUE(decode(encoding_of(older), message_of(again)));
  EXPECT_EQ(again.text(), "changed");
  EXPECT_EQ(again.added(), 7) << "who passes a message on must not strip what it doesn't know";
  EXPECT_EQ(again.added_part().text(), "part");
}

// What pieces() gives, and where the large text of the message lay.
struct Released {
  std::string expected;
  const void* text = nullptr;
  std::vector<Bytes> pieces;

  explicit Released(const std::string& text_of_message) {
    auto* message = new NewerAnswer;
    message->set_text(text_of_message);
    message->set_added(7);
    message->mutable_added_part()->set_text(std::string(3000, 'p'));
    expected = "prefix" + encoding_of(*message);
    text = message->text().data();
    const Message given = message_of(*message);
    size_t size = 0;
    EXPECT_TRUE(given.type->byte_size(given.object, &size));
    static constexpr std::array<uint8_t, 6> kPrefix = {'p', 'r', 'e', 'f', 'i', 'x'};
    const Bytes owner = Bytes::adopt(given.object, given.type->destroy, {});
    pieces = given.type->pieces(given.object, owner, kPrefix);
  }
  std::string joined() const {
    std::string all;
    for (const Bytes& piece : pieces) all.append(piece.view());
    return all;
  }
  bool has_text_as_it_lay() const {
    return std::ranges::any_of(pieces, [&](const Bytes& piece) { return piece.data() == text; });
  }
};

TEST(ProtobufMessages, are_released_without_copying_what_is_large) {
  Released released(std::string(1'000'000, 'x'));
  EXPECT_EQ(released.joined(), released.expected);
  EXPECT_TRUE(released.has_text_as_it_lay());
  EXPECT_LE(released.pieces.size(), 3u) << "before it, it, and behind it";
  Bytes last = released.pieces[1];
  released.pieces.clear();
  EXPECT_EQ(last.size(), 1'000'000u) << "the message lives as long as its last byte";
  EXPECT_EQ(last.view().find_first_not_of('x'), std::string_view::npos);
}

TEST(ProtobufMessages, are_released_whole_whatever_the_sizes) {
  for (size_t size = 0; size < 9000; size += 7) {
    const Released released(std::string(size, 'x'));
    ASSERT_EQ(released.joined(), released.expected) << size;
    ASSERT_EQ(released.has_text_as_it_lay(), size >= 4096) << size << ": less is copied next to the rest";
  }
}

TEST(ProtobufMessages, of_proto2_need_their_required_fields_in_both_directions) {
  NoPackageMessage message;
  size_t size = 0;
  const ConstMessage incomplete = message_of(std::as_const(message));
  EXPECT_FALSE(incomplete.type->byte_size(incomplete.object, &size));
  EXPECT_FALSE(decode("", message_of(message)));
  message.set_needed(1);
  NoPackageMessage copy;
  EXPECT_TRUE(decode(encoding_of(message), message_of(copy)));
  EXPECT_EQ(copy.needed(), 1);
}

std::string nested(int depth) {
  NoPackageMessage message;
  message.set_needed(depth);
  for (int i = 0; i < depth; ++i) {
    NoPackageMessage parent;
    parent.set_needed(i);
    *parent.add_children() = std::move(message);
    message = std::move(parent);
  }
  return encoding_of(message);
}

TEST(ProtobufMessages, may_be_nested_a_hundred_deep) {
  NoPackageMessage message;
  EXPECT_TRUE(decode(nested(100), message_of(message)));
  EXPECT_FALSE(decode(nested(101), message_of(message))) << "a message from the wire must not grow our stack at will";
}

TEST(ProtobufMessages, refuse_what_is_no_encoding) {
  Ask ask;
  EXPECT_FALSE(
      decode("\x0A\x05"
             "abc",
             message_of(ask)))
      << "a string that is longer than the message";
  EXPECT_FALSE(decode(std::string("\x07"), message_of(ask))) << "field number 0";
  EXPECT_FALSE(decode("\x0A\x01\xFF", message_of(ask))) << "a proto3 string is UTF-8";
  EXPECT_TRUE(
      decode("\x0A\x01"
             "a",
             message_of(ask)))
      << "and usable again afterwards";
  EXPECT_EQ(ask.text(), "a");
}

TEST(ProtobufMessages, decoding_replaces_what_was_there) {
  Ask ask;
  ask.mutable_part()->set_text("old");
  ASSERT_TRUE(
      decode("\x0A\x01"
             "a",
             message_of(ask)));
  EXPECT_FALSE(ask.has_part()) << "messages are recycled; the last call's content must not show";
}

TEST(ProtobufMessages, tables_are_one_per_type_and_named) {
  Ask ask;
  EXPECT_EQ(message_of(ask).type, message_type<Ask>());
  EXPECT_NE(message_type<Ask>(), message_type<Answer>());
  EXPECT_EQ(message_type<Ask>()->name, "gaggle::codegen_test::Ask");
  EXPECT_EQ(message_type<Ask>()->shared_tail, nullptr);
  void* object = message_type<Ask>()->create();
  static_cast<Ask*>(object)->set_text("x");
  message_type<Ask>()->clear(object);
  EXPECT_FALSE(static_cast<Ask*>(object)->has_text());
  message_type<Ask>()->destroy(object);
}

}  // namespace
}  // namespace gaggle::codegen_test
