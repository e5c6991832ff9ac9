// SPDX-License-Identifier: Apache-2.0
#include "gaggle/services/health_state.h"

#include <algorithm>

#include "gaggle/net/loop.h"

namespace gaggle {

HealthServer::State::State(const HealthOptions& options) : options_(options) {
  services_.emplace("", ServingStatus::kServing);
}

void HealthServer::State::set(std::string_view service, ServingStatus status) {
  const std::lock_guard lock(mutex_);
  if (shut_down_) return;
  if (status == ServingStatus::kServiceUnknown) {
    if (const auto found = services_.find(service); found != services_.end()) services_.erase(found);
  } else if (const auto found = services_.find(service); found != services_.end()) {
    found->second = status;
  } else {
    services_.emplace(service, status);
  }
  change(service, status);
}

std::optional<ServingStatus> HealthServer::State::get(std::string_view service) const {
  const std::lock_guard lock(mutex_);
  const auto found = services_.find(service);
  if (found == services_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::pair<std::string, ServingStatus>> HealthServer::State::all() const {
  const std::lock_guard lock(mutex_);
  return {services_.begin(), services_.end()};
}

void HealthServer::State::shutdown() {
  const std::lock_guard lock(mutex_);
  shut_down_ = true;
  change_all(ServingStatus::kNotServing);
}

void HealthServer::State::resume() {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  shut_down_ = false;
  change_all(ServingStatus::kServing);
}

void HealthServer::State::end() {
  const std::lock_guard lock(mutex_);
  shut_down_ = true;
  ended_ = true;
  change_all(ServingStatus::kNotServing);
  for (auto& [name, watchers] : watchers_) {
    for (const auto& watcher : watchers) wake(*watcher);
  }
}

Result<std::shared_ptr<HealthServer::State::Watcher>> HealthServer::State::watch(const std::string& service,
                                                                                 Loop& loop) {
  const std::lock_guard lock(mutex_);
  if (ended_) return Status::unavailable("the server is shutting down");
  if (watcher_count_ >= options_.max_watchers) {
    return Status::resource_exhausted("too many clients watch this server's health");
  }
  auto watcher = std::make_shared<Watcher>(loop);
  const auto known = services_.find(service);
  if (known != services_.end()) watcher->latest_ = known->second;
  watchers_[service].push_back(watcher);
  ++watcher_count_;
  return watcher;
}

void HealthServer::State::unwatch(const std::string& service, const Watcher& watcher) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = watchers_.find(service);
  std::erase_if(found->second, [&](const auto& each) { return each.get() == &watcher; });
  if (found->second.empty()) watchers_.erase(found);
  --watcher_count_;
}

HealthServer::State::News HealthServer::State::news(Watcher& watcher) {
  watcher.changed.reset();
  const std::lock_guard lock(mutex_);
  watcher.woken_ = false;
  return {watcher.latest_, ended_};
}

void HealthServer::State::change(std::string_view service, ServingStatus status) {
  const auto found = watchers_.find(service);
  if (found == watchers_.end()) return;
  for (const auto& watcher : found->second) {
    watcher->latest_ = status;
    wake(*watcher);
  }
}

void HealthServer::State::change_all(ServingStatus status) {
  for (auto& [name, current] : services_) {
    current = status;
    change(name, status);
  }
}

void HealthServer::State::wake(Watcher& watcher) {
  if (std::exchange(watcher.woken_, true)) return;
  watcher.loop_.post([stay = watcher.shared_from_this()] { stay->changed.set(); });
}

}  // namespace gaggle
