// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/rpc_metadata.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>

#include "gaggle/rpc/metadata.h"

namespace gaggle::cache {
namespace {

constexpr std::string_view kFrom = "gaggle-from";
constexpr std::string_view kEpoch = "gaggle-epoch";
constexpr std::string_view kHops = "gaggle-hops";

std::string to_text(uint64_t number, int base) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number, base).ptr};
}

uint64_t number_or(std::optional<std::string_view> text, int base, uint64_t otherwise) {
  uint64_t number = 0;
  if (!text) return otherwise;
  const char* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, number, base);
  return parsed.ec == std::errc{} && parsed.ptr == end ? number : otherwise;
}

}  // namespace

Status write_hop(const Hop& hop, Metadata& metadata) {
  if (Status status = metadata.add(kFrom, hop.from); !status) return status;
  if (Status status = metadata.add(kEpoch, to_text(hop.table_version, 16)); !status) return status;
  return metadata.add(kHops, to_text(hop.hops, 10));
}

std::optional<Hop> read_hop(const Metadata& metadata) {
  const auto from = metadata.get(kFrom);
  if (!from) return std::nullopt;
  const uint64_t hops = number_or(metadata.get(kHops), 10, 1);
  return Hop{std::string(*from), number_or(metadata.get(kEpoch), 16, 0),
             static_cast<uint32_t>(std::clamp<uint64_t>(hops, 1, 1'000))};
}

bool is_authoritative(const Metadata& trailer) { return trailer.get(kAnswerMark) == "1"; }

int64_t milliseconds_left(TimePoint expiry, TimePoint now) noexcept {
  if (expiry <= now) return 0;
  return std::chrono::ceil<std::chrono::milliseconds>(expiry - now).count();
}

TimePoint expiry_after(TimePoint now, int64_t milliseconds) noexcept {
  if (milliseconds <= 0) return now;
  const int64_t most = std::chrono::floor<std::chrono::milliseconds>(kNever - now).count();
  return milliseconds >= most ? kNever : now + std::chrono::milliseconds(milliseconds);
}

}  // namespace gaggle::cache
