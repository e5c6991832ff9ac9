// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/bytes.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gaggle/base/page_place.h"

namespace gaggle {
namespace {

TEST(Bytes, empty_ones_own_nothing) {
  EXPECT_TRUE(Bytes().empty());
  EXPECT_EQ(Bytes::copy_of(""), Bytes());
  EXPECT_EQ(Bytes::take(std::string()), Bytes());
  uint8_t* content = nullptr;
  EXPECT_TRUE(Bytes::uninitialised(0, &content).empty());
}

TEST(Bytes, slices_share_the_storage_and_outlive_the_whole) {
  Bytes slice;
  {
    const Bytes whole = Bytes::copy_of("hello, world");
    slice = whole.slice(7);
    EXPECT_EQ(slice.data(), whole.data() + 7) << "no copy";
  }
  EXPECT_EQ(slice.view(), "world");
  EXPECT_EQ(slice.slice(1, 3).view(), "orl");
  EXPECT_TRUE(slice.slice(5).empty()) << "a slice is cut to what there is";
  EXPECT_TRUE(slice.slice(99, 1).empty());
}

TEST(Bytes, large_ones_begin_far_from_where_sockets_bytes_do) {
  for (const size_t size : {size_t{64} << 10, size_t{1} << 20, size_t{5} << 20}) {
    uint8_t* content = nullptr;
    const Bytes large = Bytes::uninitialised(size, &content);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(content) % kPageBytes, kPlaceInPage);
    std::memset(content, 'x', size);  // all of it is there
    EXPECT_EQ(large.view(), std::string(size, 'x'));
  }
}

TEST(Bytes, lent_content_isnt_copied_until_the_loan_ends) {
  const std::string content = "somebody keeps this";
  const std::span text(reinterpret_cast<const uint8_t*>(content.data()), content.size());
  const Bytes lender = Bytes::lender();
  EXPECT_TRUE(lender.empty());
  EXPECT_FALSE(lender.is_shared());
  Bytes lent = lender.sibling(text);
  EXPECT_EQ(lent.data(), text.data());
  EXPECT_TRUE(lender.is_shared());
  Bytes other = Bytes::copy_of("another's");
  const uint8_t* const where = other.data();
  other.end_loan(lender);
  EXPECT_EQ(other.data(), where) << "only what this one has lent";
  lent.end_loan(lender);
  EXPECT_NE(lent.data(), text.data());
  EXPECT_EQ(lent.view(), content);
  EXPECT_FALSE(lender.is_shared());
}

TEST(Bytes, taking_a_string_moves_its_content) {
  std::string text(1000, 'x');
  const char* where = text.data();
  const Bytes bytes = Bytes::take(std::move(text));
  EXPECT_EQ(reinterpret_cast<const char*>(bytes.data()), where);
}

TEST(Bytes, lie_in_an_object_that_lives_as_long_as_the_last_of_them) {
  struct Object {
    std::string first = "first", second = "second";
    int* destroyed;
  };
  int destroyed = 0;
  auto* object = new Object{.destroyed = &destroyed};
  const auto destroy = [](void* gone) noexcept {
    ++*static_cast<Object*>(gone)->destroyed;
    delete static_cast<Object*>(gone);
  };
  const auto span_of = [](const std::string& text) {
    return std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  };
  Bytes first = Bytes::adopt(object, destroy, span_of(object->first));
  Bytes second = first.sibling(span_of(object->second));
  EXPECT_EQ(first.view(), "first");
  first = {};
  EXPECT_EQ(destroyed, 0);
  EXPECT_EQ(second.slice(3).view(), "ond");
  second = {};
  EXPECT_EQ(destroyed, 1);
}

TEST(Bytes, are_written_before_they_are_shared) {
  uint8_t* content = nullptr;
  Bytes bytes = Bytes::uninitialised(3, &content);
  std::memcpy(content, "abc", 3);
  EXPECT_EQ(bytes.view(), "abc");
  bytes.remove_prefix(2);
  EXPECT_EQ(bytes.view(), "c");
  bytes.remove_prefix(1);
  EXPECT_TRUE(bytes.empty());
}

TEST(Bytes, unowned_ones_point_at_what_they_were_given) {
  static constexpr char kLiteral[] = "literal";
  EXPECT_EQ(Bytes::unowned(kLiteral).data(), reinterpret_cast<const uint8_t*>(kLiteral));
}

TEST(Bytes, survive_assignment_to_themselves) {
  Bytes bytes = Bytes::copy_of("self");
  Bytes& same = bytes;
  bytes = same;
  bytes = std::move(same);
  EXPECT_EQ(bytes.view(), "self");
}

TEST(Bytes, are_counted_from_several_threads) {
  const Bytes shared = Bytes::copy_of("shared by threads");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([copy = shared] {
      for (int j = 0; j < 1000; ++j) ASSERT_EQ(Bytes(copy).slice(0, 6).view(), "shared");
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace gaggle
