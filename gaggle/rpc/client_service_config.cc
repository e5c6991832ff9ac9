// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_service_config.h"

#include <string>

namespace gaggle {

Status ClientServiceConfig::update(const std::optional<Result<Ref<const ServiceConfig>>>& reported) {
  if (ignore_ || !reported) {
    use(fallback_);
  } else if (reported->is_ok()) {
    use(**reported);
  } else if (!known_) {
    return Status::unavailable("the resolver's service config is no good: " + std::string(reported->error().message()));
  }
  return {};
}

void ClientServiceConfig::use(Ref<const ServiceConfig> config) {
  known_ = true;
  current_ = std::move(config);
  if (!current_ || !current_->retry_throttling()) {
    throttle_.reset();
  } else if (throttle_) {
    throttle_->change(*current_->retry_throttling());
  } else {
    throttle_.emplace(*current_->retry_throttling());
  }
}

}  // namespace gaggle
