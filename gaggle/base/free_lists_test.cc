// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/free_lists.h"

#include <gtest/gtest.h>

namespace gaggle {
namespace {

constexpr size_t bytes_of(size_t size_class) { return 16 << size_class; }
using Lists = FreeLists<2, bytes_of>;

TEST(FreeListsTest, a_block_comes_back_to_who_asks_for_its_class) {
  Lists lists;
  EXPECT_EQ(lists.pop(0), nullptr) << "nothing was freed yet";
  void* const small = ::operator new(bytes_of(0));
  void* const large = ::operator new(bytes_of(1));
  lists.push(small, 0);
  lists.push(large, 1);
  EXPECT_EQ(lists.cached_bytes(), 48u);
  EXPECT_EQ(lists.pop(1), large);
  EXPECT_EQ(lists.pop(1), nullptr) << "the other one is too small";
  EXPECT_EQ(lists.pop(0), small);
  EXPECT_EQ(lists.cached_bytes(), 0u);
  ::operator delete(small);
  ::operator delete(large);
}

// AddressSanitizer's search for leaks would find what close() forgot.
TEST(FreeListsTest, closing_frees_every_block_and_says_so) {
  Lists lists;
  lists.open();
  EXPECT_EQ(lists.stage(), Lists::Stage::kOpen);
  for (int i = 0; i < 3; ++i) lists.push(::operator new(bytes_of(1)), 1);
  lists.close();
  EXPECT_EQ(lists.stage(), Lists::Stage::kClosed) << "its owner keeps nothing more";
  EXPECT_EQ(lists.cached_bytes(), 0u);
  EXPECT_EQ(lists.pop(1), nullptr);
}

}  // namespace
}  // namespace gaggle
