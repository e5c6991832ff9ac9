// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_keepalive.h"

#include <utility>

namespace gaggle {
namespace {

constexpr uint8_t kMaxStrikes = 2;
// What a connection without calls has to wait when it needs a permission and has none: as long as
// TCP's own keepalive would.
constexpr Duration kWithoutCalls = std::chrono::hours{2};

}  // namespace

bool PingStrikes::allow(const KeepaliveEnforcement& rule, TimePoint now, bool has_calls,
                        uint32_t frames_sent) noexcept {
  const TimePoint before = std::exchange(last_, now);
  if (std::exchange(frames_sent_, frames_sent) != frames_sent) {
    strikes_ = 0;
    return true;
  }
  const Duration interval = has_calls || rule.permit_without_stream ? rule.min_time : kWithoutCalls;
  if (before == kNever || now >= deadline_after(before, interval)) return true;
  return ++strikes_ <= kMaxStrikes;
}

}  // namespace gaggle
