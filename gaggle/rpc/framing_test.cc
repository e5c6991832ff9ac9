// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/framing.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace gaggle {
namespace {

using Step = MessageReader::Step;

std::string framed(std::string_view text) {
  std::string content(kMessagePrefixBytes, '\0');
  write_message_prefix(reinterpret_cast<uint8_t*>(content.data()), text.size());
  return content.append(text);
}

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string text_of(const MessageReader& reader) { return {reader.message().begin(), reader.message().end()}; }

// Everything that comes out when `content` goes in, in pieces of `size`.
std::vector<std::string> read_in_pieces(std::string_view content, size_t size) {
  std::vector<std::string> messages;
  MessageReader reader;
  while (!content.empty()) {
    std::span<const uint8_t> piece = bytes_of(content.substr(0, size));
    content.remove_prefix(std::min(size, content.size()));
    while (reader.next(piece) == Step::kMessage) messages.push_back(text_of(reader));
  }
  EXPECT_TRUE(reader.at_boundary());
  return messages;
}

TEST(MessageReader, a_whole_message_is_not_copied) {
  const std::string content = framed("hello");
  std::span<const uint8_t> piece = bytes_of(content);
  MessageReader reader;
  ASSERT_EQ(reader.next(piece), Step::kMessage);
  EXPECT_EQ(reader.message().data(), bytes_of(content).data() + kMessagePrefixBytes) << "it lies where it was received";
  EXPECT_TRUE(piece.empty());
}

TEST(MessageReader, messages_cut_anywhere_are_the_same_messages) {  // [147]
  const std::vector<std::string> messages = {"first", "", std::string(1000, 'x'), "last"};
  std::string content;
  for (const std::string& message : messages) content += framed(message);
  for (size_t size = 1; size <= content.size(); ++size) ASSERT_EQ(read_in_pieces(content, size), messages) << size;
}

TEST(MessageReader, kept_content_comes_out_later_in_order) {
  const std::string content = framed("one") + framed("two") + framed("three");
  MessageReader reader;
  reader.keep(bytes_of(content).first(10));
  reader.keep(bytes_of(content).subspan(10));
  for (const std::string_view expected : {"one", "two", "three"}) {
    ASSERT_EQ(reader.next(), Step::kMessage);
    EXPECT_EQ(text_of(reader), expected);
  }
  EXPECT_EQ(reader.next(), Step::kMore);
  EXPECT_TRUE(reader.at_boundary());
}

TEST(MessageReader, too_large_is_said_by_the_prefix_alone) {  // [143] [144]
  for (const std::string_view prefix :
       {std::string_view("\0\0\0\0\x0b", 5), std::string_view("\0\xff\xff\xff\xff", 5)}) {
    MessageReader reader(10);
    std::span<const uint8_t> piece = bytes_of(prefix);
    EXPECT_EQ(reader.next(piece), Step::kTooLarge) << "before any of the message has come, so nothing was allocated";
  }
  MessageReader reader(10);
  std::span<const uint8_t> piece = bytes_of(std::string_view("\0\0\0\0\x0a", 5));
  EXPECT_EQ(reader.next(piece), Step::kMore) << "exactly the limit is allowed";
}

TEST(MessageReader, memory_follows_what_has_arrived_not_what_was_announced) {  // [144]
  MessageReader reader;
  std::span<const uint8_t> piece =
      bytes_of(std::string_view("\0\xff\xff\xff\xff"
                                "abc",
                                8));
  EXPECT_EQ(reader.next(piece), Step::kMore);
  EXPECT_EQ(reader.stored_bytes(), 8u);
  EXPECT_EQ(reader.missing_bytes(), 0xffffffffu - 3);
}

TEST(MessageReader, flags_other_than_zero_are_errors) {  // [140] [141]
  for (int flag = 1; flag < 256; ++flag) {
    const std::string content{static_cast<char>(flag), 0, 0, 0, 0};
    MessageReader reader;
    std::span<const uint8_t> piece = bytes_of(content);
    EXPECT_EQ(reader.next(piece), flag == 1 ? Step::kCompressed : Step::kBadFlag) << flag;
  }
}

TEST(MessageReader, compressed_messages_come_out_where_an_encoding_was_agreed) {
  std::string content = framed("packed") + framed("plain") + framed("bad");
  content[0] = 1;
  content[kMessagePrefixBytes + 6 + kMessagePrefixBytes + 5] = 2;
  MessageReader reader;
  reader.allow_compressed(true);
  std::span<const uint8_t> piece = bytes_of(content);
  ASSERT_EQ(reader.next(piece), Step::kMessage);
  EXPECT_TRUE(reader.is_compressed());
  EXPECT_EQ(text_of(reader), "packed") << "decompressing isn't the reader's business";
  ASSERT_EQ(reader.next(piece), Step::kMessage);
  EXPECT_FALSE(reader.is_compressed());
  EXPECT_EQ(reader.next(piece), Step::kBadFlag);
  reader.reset();
  piece = bytes_of(content);
  EXPECT_EQ(reader.next(piece), Step::kCompressed) << "an agreement lasts for one call";
}

TEST(MessageReader, missing_bytes_say_what_completes_the_prefix_and_then_the_message) {
  MessageReader reader;
  EXPECT_EQ(reader.missing_bytes(), 5u);
  const std::string content = framed("hello");
  reader.keep(bytes_of(content).first(2));
  EXPECT_EQ(reader.missing_bytes(), 3u);
  reader.keep(bytes_of(content).subspan(2, 4));
  EXPECT_EQ(reader.missing_bytes(), 4u);
}

TEST(MessageReader, a_large_message_is_handed_over_with_its_storage) {
  const std::string big(100'000, 'b');
  const std::string content = framed(big) + framed("next");
  MessageReader reader;
  std::span<const uint8_t> piece = bytes_of(content).first(50'000);
  ASSERT_EQ(reader.next(piece), Step::kMore);
  piece = bytes_of(content).subspan(50'000);
  ASSERT_EQ(reader.next(piece), Step::kMessage);
  const uint8_t* const where = reader.message().data();
  const Bytes taken = reader.take_message();
  EXPECT_EQ(taken.view(), big);
  EXPECT_EQ(taken.data(), where) << "no copy was made";
  ASSERT_EQ(reader.next(piece), Step::kMessage);
  EXPECT_EQ(text_of(reader), "next");
}

TEST(MessageReader, reset_forgets_everything) {
  MessageReader reader(3);
  reader.keep(bytes_of("garbage"));
  reader.reset(100);
  const std::string content = framed("hello");
  std::span<const uint8_t> piece = bytes_of(content);
  ASSERT_EQ(reader.next(piece), Step::kMessage);
  EXPECT_EQ(text_of(reader), "hello");
}

TEST(MessageCounter, counts_the_messages_that_end_in_each_piece) {
  const std::string content = framed("abc") + framed("") + framed(std::string(300, 'x'));
  for (size_t size = 1; size <= content.size(); ++size) {
    MessageCounter counter;
    size_t messages = 0;
    for (size_t at = 0; at < content.size(); at += size) {
      messages += counter.count(bytes_of(std::string_view(content).substr(at, size)));
    }
    ASSERT_EQ(messages, 3u) << "in pieces of " << size;
  }
}

}  // namespace
}  // namespace gaggle
