// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_timeout.h"

#include <charconv>
#include <cstdint>
#include <system_error>

namespace gaggle::wire {
namespace {

struct Unit {
  char letter;
  int64_t nanoseconds;
};

constexpr std::array<Unit, 6> kUnits = {
    {{'n', 1}, {'u', 1'000}, {'m', 1'000'000}, {'S', 1'000'000'000}, {'M', 60'000'000'000}, {'H', 3'600'000'000'000}}};

constexpr int64_t kMostDigits = 99'999'999;

int64_t nanoseconds(Duration duration) noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

}  // namespace

std::string_view encode_timeout(Duration timeout, TimeoutText& buffer) noexcept {
  int64_t left = nanoseconds(timeout);
  if (left <= 0) return "0n";
  for (const Unit& unit : kUnits) {
    int64_t count = left / unit.nanoseconds + (left % unit.nanoseconds != 0 ? 1 : 0);
    if (count > kMostDigits) continue;
    char* end = std::to_chars(buffer.data(), buffer.data() + buffer.size() - 1, count).ptr;
    *end++ = unit.letter;
    return {buffer.data(), static_cast<size_t>(end - buffer.data())};
  }
  return "99999999H";  // not reached: 64 bits of nanoseconds are 2,562,048 hours
}

std::optional<Duration> decode_timeout(std::string_view text) noexcept {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  const char* letter = text.data() + text.size() - 1;
  uint32_t count = 0;  // unsigned: from_chars then refuses a sign
  auto [end, error] = std::from_chars(text.data(), letter, count);
  if (error != std::errc{} || end != letter) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (unit.letter != *letter) continue;
    if (count > nanoseconds(Duration::max()) / unit.nanoseconds) return Duration::max();
    return std::chrono::duration_cast<Duration>(std::chrono::nanoseconds{count * unit.nanoseconds});
  }
  return std::nullopt;
}

}  // namespace gaggle::wire
