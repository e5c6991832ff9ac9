// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/output_buffer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace gaggle::http2 {
namespace {

std::string text(const OutputBuffer& buffer) { return {buffer.bytes().begin(), buffer.bytes().end()}; }

TEST(OutputBuffer, owns_nothing_until_something_is_appended) {
  OutputBuffer out;
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(out.capacity(), 0u);
  out.append(nullptr, 0);
  EXPECT_EQ(out.capacity(), 0u);
}

TEST(OutputBuffer, what_is_reserved_counts_when_committed) {
  OutputBuffer out;
  uint8_t* const room = out.reserve(100);
  room[0] = 'a';
  room[1] = 'b';
  EXPECT_TRUE(out.empty());
  out.commit(2);
  out.push_back('c');
  EXPECT_EQ(text(out), "abc");
}

TEST(OutputBuffer, growing_keeps_what_is_there) {
  OutputBuffer out;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece = std::to_string(i);
    out.append(piece.data(), piece.size());
    expected += piece;
  }
  EXPECT_EQ(text(out), expected);
}

TEST(OutputBuffer, consumes_from_the_front_and_truncates_at_the_end) {
  OutputBuffer out;
  out.append("0123456789", 10);
  out.consume(3);
  EXPECT_EQ(text(out), "3456789");
  out.truncate(2);
  EXPECT_EQ(text(out), "34");
  *out.at(0) = 'x';
  EXPECT_EQ(text(out), "x4");
  out.consume(2);
  EXPECT_TRUE(out.empty());
}

TEST(OutputBuffer, what_one_releases_serves_the_next) {
  if (BlockPool::class_of(OutputBuffer::kFirstBytes) == BlockPool::kNoClass) GTEST_SKIP() << "nothing is recycled here";
  OutputBuffer one;
  one.append("abc", 3);
  const uint8_t* const memory = one.data();
  one.release();
  EXPECT_EQ(one.data(), nullptr);
  OutputBuffer next;
  next.append("x", 1);
  EXPECT_EQ(next.data(), memory);
}

TEST(OutputBuffer, clear_keeps_the_memory_and_release_does_not) {
  OutputBuffer out;
  out.append("abc", 3);
  const size_t capacity = out.capacity();
  out.clear();
  EXPECT_EQ(out.capacity(), capacity);
  out.release();
  EXPECT_EQ(out.capacity(), 0u);
  out.append("d", 1);
  EXPECT_EQ(text(out), "d");
}

TEST(OutputBuffer, moves_leave_the_bytes_with_one_owner) {
  OutputBuffer a;
  a.append("abc", 3);
  OutputBuffer b(std::move(a));
  EXPECT_EQ(text(b), "abc");
  OutputBuffer c;
  c = std::move(b);
  EXPECT_EQ(text(c), "abc");
}

}  // namespace
}  // namespace gaggle::http2
