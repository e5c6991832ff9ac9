// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

#include "gaggle/base/ref.h"
#include "gaggle/base/result.h"
#include "gaggle/rpc/retry_throttle.h"
#include "gaggle/rpc/service_config.h"

namespace gaggle {

// Which service config a connection goes by, after all that its resolver has reported. gRFC A21.
//
// A resolver without a config means the default one; a bad config changes nothing when there was a
// good one before, and makes the connection unusable when there wasn't. One loop's thread.
class ClientServiceConfig {
 public:
  // `fallback` may be null: a config that says nothing. `ignore`: what resolvers say doesn't count.
  ClientServiceConfig(Ref<const ServiceConfig> fallback, bool ignore) noexcept
      : fallback_(std::move(fallback)), ignore_(ignore) {}

  // What came with a resolver's state. An error is that of a bad config while there is no good one:
  // calls fail with it (UNAVAILABLE), and the resolver is to look again. Otherwise current() holds.
  Status update(const std::optional<Result<Ref<const ServiceConfig>>>& reported);

  // There has been a good one, or none at all: calls may go by it.
  bool is_known() const noexcept { return known_; }
  // Null: nothing is said. Calls that hold one go on by it.
  const Ref<const ServiceConfig>& current() const noexcept { return current_; }
  // Null when the current one doesn't want any.
  RetryThrottle* throttle() noexcept { return throttle_ ? &*throttle_ : nullptr; }

 private:
  void use(Ref<const ServiceConfig> config);

  const Ref<const ServiceConfig> fallback_;
  const bool ignore_;
  bool known_ = false;
  Ref<const ServiceConfig> current_;
  std::optional<RetryThrottle> throttle_;
};

}  // namespace gaggle
