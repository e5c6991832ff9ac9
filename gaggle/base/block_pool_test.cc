// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/block_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace gaggle {
namespace {

constexpr size_t kKiB = 1024;

class BlockPoolTest : public testing::Test {
 protected:
  void SetUp() override {
    if (BlockPool::class_of(BlockPool::kMinBytes) == BlockPool::kNoClass) GTEST_SKIP() << "nothing is recycled here";
  }
  // Each test has a thread, and so lists, of its own.
  template <class F>
  static void on_a_thread(F test) {
    std::thread(test).join();
  }
};

TEST_F(BlockPoolTest, sizes_are_rounded_up_by_a_quarter_at_most) {
  uint32_t last = 0;
  size_t least = BlockPool::kMinBytes;  // of a class
  for (size_t size = BlockPool::kMinBytes; size <= BlockPool::kMaxBytes; size += 1 + size / 500) {
    const uint32_t size_class = BlockPool::class_of(size);
    ASSERT_TRUE(size_class == last || size_class == last + 1) << size;
    if (size_class != last) least = size;
    ASSERT_LE(size, least + least / 4) << "one class for both";
    last = size_class;
  }
  EXPECT_EQ(BlockPool::class_of(BlockPool::kMinBytes - 1), BlockPool::kNoClass);
  EXPECT_EQ(BlockPool::class_of(BlockPool::kMaxBytes + 1), BlockPool::kNoClass);
}

TEST_F(BlockPoolTest, a_block_serves_the_next_of_its_class_and_has_room_for_it) {
  on_a_thread([] {
    const uint32_t size_class = BlockPool::class_of(300 * kKiB);
    void* const block = BlockPool::allocate(300 * kKiB, size_class);
    BlockPool::deallocate(block, size_class);
    EXPECT_EQ(BlockPool::cached_bytes(), 320 * kKiB);
    EXPECT_EQ(BlockPool::class_of(320 * kKiB), size_class);
    void* const again = BlockPool::allocate(320 * kKiB, size_class);
    EXPECT_EQ(again, block);
    std::memset(again, 1, 320 * kKiB);
    EXPECT_EQ(BlockPool::cached_bytes(), 0u);
    BlockPool::deallocate(again, size_class);
  });
}

TEST_F(BlockPoolTest, a_thread_keeps_a_bounded_amount) {
  on_a_thread([] {
    const uint32_t size_class = BlockPool::class_of(1024 * kKiB);
    std::vector<void*> blocks;
    for (int i = 0; i < 20; ++i) blocks.push_back(BlockPool::allocate(1024 * kKiB, size_class));
    for (void* block : blocks) BlockPool::deallocate(block, size_class);
    EXPECT_EQ(BlockPool::cached_bytes(), BlockPool::kMaxCachedBytes);
  });
}

TEST_F(BlockPoolTest, large_blocks_are_given_back_when_somebody_says_so) {
  on_a_thread([] {
    for (const size_t size : {BlockPool::kMinBytes, BlockPool::kLargeBytes, BlockPool::kMaxBytes}) {
      const uint32_t size_class = BlockPool::class_of(size);
      BlockPool::deallocate(BlockPool::allocate(size, size_class), size_class);
    }
    BlockPool::release_large();
    EXPECT_EQ(BlockPool::cached_bytes(), BlockPool::kMinBytes);
    const uint32_t size_class = BlockPool::class_of(BlockPool::kMaxBytes);
    BlockPool::deallocate(BlockPool::allocate(BlockPool::kMaxBytes, size_class), size_class);
    EXPECT_EQ(BlockPool::cached_bytes(), BlockPool::kMinBytes + BlockPool::kMaxBytes) << "and kept again";
  });
}

TEST_F(BlockPoolTest, small_blocks_leave_large_ones_their_room) {
  on_a_thread([] {
    const uint32_t small = BlockPool::class_of(BlockPool::kMinBytes);
    std::vector<void*> blocks;
    for (size_t bytes = 0; bytes < 2 * BlockPool::kMaxCachedSmallBytes; bytes += BlockPool::kMinBytes) {
      blocks.push_back(BlockPool::allocate(BlockPool::kMinBytes, small));
    }
    for (void* block : blocks) BlockPool::deallocate(block, small);
    EXPECT_EQ(BlockPool::cached_bytes(), BlockPool::kMaxCachedSmallBytes);
    const uint32_t large = BlockPool::class_of(BlockPool::kMaxBytes);
    BlockPool::deallocate(BlockPool::allocate(BlockPool::kMaxBytes, large), large);
    EXPECT_EQ(BlockPool::cached_bytes(), BlockPool::kMaxCachedSmallBytes + BlockPool::kMaxBytes);
  });
}

TEST_F(BlockPoolTest, a_block_may_be_freed_by_another_thread) {
  const uint32_t size_class = BlockPool::class_of(100 * kKiB);
  void* block = nullptr;
  on_a_thread([&] { block = BlockPool::allocate(100 * kKiB, size_class); });
  on_a_thread([&] {
    BlockPool::deallocate(block, size_class);
    EXPECT_EQ(BlockPool::cached_bytes(), 112 * kKiB);
  });
}

}  // namespace
}  // namespace gaggle
