// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/units.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <span>

namespace gaggle::cli {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr Unit kSizes[] = {{"", 1}, {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}};
constexpr Unit kDurations[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};

// `number unit`, at most `most` after multiplication; `wanted` says what is allowed.
Result<uint64_t> parse(std::string_view text, std::span<const Unit> units, uint64_t most, std::string_view wanted) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  const std::string_view name(parsed.ptr, static_cast<size_t>(end - parsed.ptr));
  if (parsed.ec == std::errc{}) {
    for (const Unit& unit : units) {
      if (unit.name != name) continue;
      if (number > most / unit.factor) break;
      return number * unit.factor;
    }
  }
  const bool too_large = parsed.ec == std::errc::result_out_of_range || number > most / units.back().factor;
  return Status::invalid_argument("\"" + std::string(text) + "\" is " + (too_large ? "too large; " : "not ") +
                                  std::string(wanted));
}

}  // namespace

Result<size_t> parse_size(std::string_view text) {
  const auto bytes =
      parse(text, kSizes, std::numeric_limits<size_t>::max(), "a size such as 64MiB, 16KiB, 1GiB or 4096");
  if (!bytes) return bytes.error();
  return static_cast<size_t>(*bytes);
}

Result<Duration> parse_duration(std::string_view text) {
  constexpr auto kMost = std::chrono::duration_cast<std::chrono::milliseconds>(Duration::max());
  const auto milliseconds =
      parse(text, kDurations, static_cast<uint64_t>(kMost.count()), "a duration such as 250ms, 30s, 5m or 2h");
  if (!milliseconds) return milliseconds.error();
  return Duration(std::chrono::milliseconds(*milliseconds));
}

}  // namespace gaggle::cli
