// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_message_text.h"

#include <gtest/gtest.h>

namespace gaggle::wire {
namespace {

std::string encode(std::string_view text, size_t limit = kMaxMessageTextBytes) {
  std::string out;
  encode_message_text(text, out, limit);
  return out;
}

TEST(MessageText, leaves_printable_ascii_alone) {
  std::string printable;
  for (char c = 0x20; c < 0x7F; ++c) {
    if (c != '%') printable.push_back(c);
  }
  EXPECT_TRUE(message_text_is_plain(printable));
  EXPECT_EQ(encode(printable), printable);
}

TEST(MessageText, escapes_the_rest_in_upper_case) {
  EXPECT_EQ(encode("100 %"), "100 %25");
  EXPECT_EQ(encode("a\tb\r\nc"), "a%09b%0D%0Ac") << "tabs and line ends survive";
  EXPECT_EQ(encode("\u20AC"), "%E2%82%AC");
  EXPECT_EQ(encode("\x7F"), "%7F");
  EXPECT_EQ(encode(std::string_view("\0", 1)), "%00");
  EXPECT_FALSE(message_text_is_plain("%"));
}

TEST(MessageText, gives_back_every_byte) {
  std::string text;
  for (int i = 0; i < 256; ++i) text.push_back(static_cast<char>(i));
  EXPECT_EQ(decode_message_text(encode(text)), text);
}

TEST(MessageText, never_fails_to_read) {
  EXPECT_EQ(decode_message_text("%e2%82%ac"), "\u20AC") << "some write lower case";
  for (std::string_view odd : {"%", "%2", "a%", "%zz", "%2g", "100 % sure"}) {
    EXPECT_EQ(decode_message_text(odd), odd) << "what is no escape stays";
  }
  EXPECT_EQ(decode_message_text("%%41"), "%A");
}

TEST(MessageText, is_cut_between_characters) {
  EXPECT_EQ(encode("abcdef", 4), "abcd");
  EXPECT_EQ(encode("ab\u20AC", 10), "ab") << "eleven bytes would be needed; half a character says nothing";
  EXPECT_EQ(encode("ab\u20AC", 11), "ab%E2%82%AC");
  EXPECT_EQ(encode("%%", 5), "%25");
  EXPECT_EQ(encode(std::string(1 << 20, '\n')).size() / 3, kMaxMessageTextBytes / 3)
      << "a handler's megabyte must not become trailers that the peer refuses";
}

}  // namespace
}  // namespace gaggle::wire
