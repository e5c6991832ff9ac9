// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/units.h"

#include <gtest/gtest.h>

namespace gaggle::cli {
namespace {

using namespace std::chrono_literals;

TEST(Sizes, have_binary_units_or_none) {
  EXPECT_EQ(*parse_size("4096"), 4096u);
  EXPECT_EQ(*parse_size("16KiB"), 16u << 10);
  EXPECT_EQ(*parse_size("64MiB"), 64u << 20);
  EXPECT_EQ(*parse_size("2GiB"), size_t{2} << 30);
  EXPECT_EQ(*parse_size("0"), 0u);
}

TEST(Sizes, that_are_none_are_refused) {
  for (const char* text : {"", "MiB", "64MB", "64 MiB", "-1", "+1", "1.5MiB", "64mib", "0x10", "1e6",
                           "99999999999999999999", "17179869184GiB"}) {
    EXPECT_EQ(parse_size(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(parse_size("64MB").error().message(), "\"64MB\" is not a size such as 64MiB, 16KiB, 1GiB or 4096");
  EXPECT_TRUE(parse_size("17179869184GiB").error().message().contains("too large"));
}

TEST(Durations, need_a_unit) {
  EXPECT_EQ(*parse_duration("250ms"), 250ms);
  EXPECT_EQ(*parse_duration("30s"), 30s);
  EXPECT_EQ(*parse_duration("5m"), 5min);
  EXPECT_EQ(*parse_duration("2h"), 2h);
  EXPECT_EQ(*parse_duration("0s"), 0s);
}

TEST(Durations, that_are_none_are_refused) {
  for (const char* text :
       {"", "5", "s", "5min", "-5s", "5 s", "1.5s", "5d", "99999999999999999999h", "9999999999999h"}) {
    EXPECT_EQ(parse_duration(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace gaggle::cli
