// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/clock.h"

namespace gaggle {
namespace {

class RealClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& Clock::real() noexcept {
  static const RealClock clock;  // has no state
  return clock;
}

}  // namespace gaggle
