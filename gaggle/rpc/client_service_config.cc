// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_service_config.h"

#include <string>

namespace gaggle {

Status ClientServiceConfig::update(const std::optional<Result<Ref<const ServiceConfig>>>& reported) {
  if (ignore_ || !reported) {
    current_ = fallback_;
  } else if (reported->is_ok()) {
    current_ = **reported;
  } else if (!known_) {
    return Status::unavailable("the resolver's service config is no good: " + std::string(reported->error().message()));
  }
  known_ = true;
  return {};
}

}  // namespace gaggle
