// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/printable.h"

#include <gtest/gtest.h>

namespace gaggle::cli {
namespace {

TEST(Printable, shows_what_a_terminal_would_obey) {
  EXPECT_EQ(printable("no such key: Zoë"), "no such key: Zoë");
  EXPECT_EQ(printable("\x1b[31mred\a\r\n\x7f"), "\\x1b[31mred\\x07\\x0d\\x0a\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

}  // namespace
}  // namespace gaggle::cli
