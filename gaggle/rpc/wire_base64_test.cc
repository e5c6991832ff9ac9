// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_base64.h"

#include <gtest/gtest.h>

namespace gaggle::wire {
namespace {

std::string encode(std::string_view bytes) {
  std::string out;
  base64_encode(bytes, out);
  return out;
}

TEST(Base64, writes_the_vectors_of_rfc_4648_without_padding) {
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg");
  EXPECT_EQ(encode("fo"), "Zm8");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foob"), "Zm9vYg");
  EXPECT_EQ(encode("fooba"), "Zm9vYmE");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encode("\xFB\xFF"), "+/8") << "the standard alphabet, not the one for addresses";
}

TEST(Base64, reads_with_padding_and_without) {
  for (const char* text : {"Zg", "Zg=="}) {
    std::string out;
    EXPECT_TRUE(base64_decode(text, out)) << text;
    EXPECT_EQ(out, "f") << text;
  }
  for (const char* text : {"Zm8", "Zm8="}) {
    std::string out = "before ";
    EXPECT_TRUE(base64_decode(text, out)) << text;
    EXPECT_EQ(out, "before fo") << "appends";
  }
}

TEST(Base64, gives_back_every_byte_in_every_place) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const std::string text = encode(bytes.substr(256 - size));
    EXPECT_EQ(text.size(), base64_size(size));
    std::string out;
    ASSERT_TRUE(base64_decode(text, out)) << size;
    EXPECT_EQ(out, bytes.substr(256 - size));
  }
}

TEST(Base64, refuses_what_is_none) {
  for (std::string_view text :
       {"Z", "Zm9vY", "Zg=", "Zg===", "=", "====", "Z=g=", "Zg==Zg==", "Zm 9", "Zm9-", "Zm9_", "Zm9\n", "Zm9\x80"}) {
    std::string out = "before";
    EXPECT_FALSE(base64_decode(text, out)) << text;
    EXPECT_EQ(out, "before") << "a failure leaves nothing behind: " << text;
  }
}

}  // namespace
}  // namespace gaggle::wire
