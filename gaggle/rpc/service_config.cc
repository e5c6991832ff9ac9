// SPDX-License-Identifier: Apache-2.0
//
// Looking things up in a service config; reading one is in service_config_parse.cc.
#include "gaggle/rpc/service_config.h"

#include <algorithm>

namespace gaggle {

const MethodConfig* ServiceConfig::find(std::string_view key) const noexcept {
  const auto found =
      std::ranges::lower_bound(names_, key, {}, [](const Name& name) { return std::string_view(name.key); });
  return found != names_.end() && found->key == key ? &methods_[found->config] : nullptr;
}

const MethodConfig* ServiceConfig::method_config(std::string_view full_method) const noexcept {
  if (names_.empty()) return nullptr;
  if (const MethodConfig* exact = find(full_method)) return exact;
  const size_t slash = full_method.rfind('/');
  if (slash != std::string_view::npos && slash != 0) {
    if (const MethodConfig* service = find(full_method.substr(0, slash + 1))) return service;
  }
  return find({});
}

bool operator==(const ServiceConfig& a, const ServiceConfig& b) noexcept {
  return a.load_balancing_ == b.load_balancing_ && a.methods_ == b.methods_ && a.names_ == b.names_ &&
         a.throttling_ == b.throttling_ && a.health_service_ == b.health_service_ &&
         a.max_connections_ == b.max_connections_;
}

}  // namespace gaggle
