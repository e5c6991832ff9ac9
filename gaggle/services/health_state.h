// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaggle/base/result.h"
#include "gaggle/net/event.h"
#include "gaggle/services/health.h"

namespace gaggle {

// The statuses of a HealthServer and who watches them. Thread-safe.
class HealthServer::State {
 public:
  // One Watch call. What changes is told to it as one posted wake-up, however much changes: a watcher
  // never holds more than the latest status.
  class Watcher : public std::enable_shared_from_this<Watcher> {
   public:
    explicit Watcher(Loop& loop) : changed(loop), loop_(loop) {}
    AsyncEvent changed;  // its loop's thread only

   private:
    friend class State;
    Loop& loop_;
    // The state's mutex guards these.
    ServingStatus latest_ = ServingStatus::kServiceUnknown;
    bool woken_ = false;
  };
  // What a watcher has to do now.
  struct News {
    ServingStatus status;
    bool over;  // no more will come
  };

  explicit State(const HealthOptions& options);

  void set(std::string_view service, ServingStatus status);
  std::optional<ServingStatus> get(std::string_view service) const;
  std::vector<std::pair<std::string, ServingStatus>> all() const;
  void shutdown();
  void resume();
  void end();

  Result<std::shared_ptr<Watcher>> watch(const std::string& service, Loop& loop);
  void unwatch(const std::string& service, const Watcher& watcher) noexcept;
  News news(Watcher& watcher);

 private:
  void change(std::string_view service, ServingStatus status);
  void change_all(ServingStatus status);
  static void wake(Watcher& watcher);

  const HealthOptions options_;
  mutable std::mutex mutex_;  // guards the rest
  std::map<std::string, ServingStatus, std::less<>> services_;
  std::map<std::string, std::vector<std::shared_ptr<Watcher>>, std::less<>> watchers_;
  size_t watcher_count_ = 0;
  bool shut_down_ = false;
  bool ended_ = false;
};

}  // namespace gaggle
