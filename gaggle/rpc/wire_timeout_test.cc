// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_timeout.h"

#include <gtest/gtest.h>

#include <string>

namespace gaggle::wire {
namespace {

using namespace std::chrono_literals;

std::string encode(Duration timeout) {
  TimeoutText buffer;
  return std::string{encode_timeout(timeout, buffer)};
}

TEST(Timeout, is_written_in_the_finest_unit_that_fits_eight_digits) {
  EXPECT_EQ(encode(1ns), "1n");
  EXPECT_EQ(encode(99'999'999ns), "99999999n");
  EXPECT_EQ(encode(100ms), "100000u");
  EXPECT_EQ(encode(50ms), "50000000n");
  EXPECT_EQ(encode(1s), "1000000u");
  EXPECT_EQ(encode(100s), "100000m");
  EXPECT_EQ(encode(200'000s), "200000S");
  EXPECT_EQ(encode(100'000'000s), "1666667M");
  EXPECT_EQ(encode(Duration::max()), "2562048H");
}

TEST(Timeout, is_rounded_up) {
  EXPECT_EQ(encode(100'000'001ns), "100001u") << "or the server would give up before the client";
}

TEST(Timeout, that_has_passed_is_written_as_such) {
  EXPECT_EQ(encode(0ns), "0n");
  EXPECT_EQ(encode(-5s), "0n");
  EXPECT_EQ(encode(Duration::min()), "0n");
}

TEST(Timeout, is_read_in_every_unit) {
  EXPECT_EQ(decode_timeout("0n"), 0ns);
  EXPECT_EQ(decode_timeout("7n"), 7ns);
  EXPECT_EQ(decode_timeout("7u"), 7us);
  EXPECT_EQ(decode_timeout("7m"), 7ms);
  EXPECT_EQ(decode_timeout("7S"), 7s);
  EXPECT_EQ(decode_timeout("7M"), 7min);
  EXPECT_EQ(decode_timeout("00000007H"), 7h) << "eight digits, whatever they are";
}

TEST(Timeout, beyond_what_we_can_count_is_clamped) {
  EXPECT_EQ(decode_timeout("99999999H"), Duration::max()) << "an overflow would be a deadline in the past";
  EXPECT_EQ(decode_timeout("99999999M"), 99'999'999min);
}

TEST(Timeout, malformed_is_no_timeout) {
  for (std::string_view text : {"", "n", "1", "100000000n", "123456789", "-1S", "+1S", " 1S", "1 S", "1s", "1h", "1N",
                                "1.5S", "0x1S", "1SS", "S1"}) {
    EXPECT_EQ(decode_timeout(text), std::nullopt) << '"' << text << "\" must fail the call, not lift its deadline";
  }
}

TEST(Timeout, never_gets_shorter_on_its_way) {
  for (Duration timeout = 1ns; timeout < 24h * 365; timeout = timeout * 7 / 2 + 1ns) {
    const std::optional<Duration> read = decode_timeout(encode(timeout));
    ASSERT_TRUE(read.has_value());
    EXPECT_GE(*read, timeout);
    EXPECT_LE(*read, timeout + timeout / 100'000) << "nor much longer";
  }
}

}  // namespace
}  // namespace gaggle::wire
