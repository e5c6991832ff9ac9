// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "gaggle/rpc/call_options.h"

namespace gaggle {

// The CallOption hooks of one call, the connection's before the call's own: `before` in order until
// one refuses, `after` exactly once for each that agreed, in reverse. Not thread-safe.
class CallHooks {
 public:
  CallHooks(std::span<CallOption* const> defaults, std::span<CallOption* const> own) noexcept : lists_{defaults, own} {}
  CallHooks(const CallHooks&) = delete;
  CallHooks& operator=(const CallHooks&) = delete;

  bool empty() const noexcept { return lists_[0].empty() && lists_[1].empty(); }

  Status before(CallInfo& info) {
    for (const auto& list : lists_) {
      for (CallOption* hook : list) {
        if (Status refused = hook->before(info); !refused) return refused;
        ++agreed_;
      }
    }
    return {};
  }

  void after(const CallInfo& info, const Status& status) noexcept {
    while (agreed_ != 0) {
      --agreed_;
      const size_t first = lists_[0].size();
      (agreed_ < first ? lists_[0][agreed_] : lists_[1][agreed_ - first])->after(info, status);
    }
  }

 private:
  std::span<CallOption* const> lists_[2];
  size_t agreed_ = 0;
};

// The finish hooks of one call, the connection's before the call's own: run once, at the latest when
// this is destroyed. Not thread-safe.
class FinishHooks {
 public:
  FinishHooks(std::span<FinishHook* const> defaults, std::span<FinishHook* const> own, std::string_view method) noexcept
      : defaults_(defaults), own_(own), method_(method) {}
  FinishHooks(FinishHooks&& other) noexcept
      : defaults_(std::exchange(other.defaults_, {})), own_(std::exchange(other.own_, {})), method_(other.method_) {}
  FinishHooks& operator=(FinishHooks&&) = delete;
  // Whoever awaited the call was destroyed, or an exception came out of an interceptor.
  ~FinishHooks() { run(Status::cancelled("the call was given up")); }

  bool empty() const noexcept { return defaults_.empty() && own_.empty(); }

  void run(const Status& status) noexcept {
    for (FinishHook* hook : std::exchange(defaults_, {})) hook->on_finish(method_, status);
    for (FinishHook* hook : std::exchange(own_, {})) hook->on_finish(method_, status);
  }

 private:
  std::span<FinishHook* const> defaults_;
  std::span<FinishHook* const> own_;
  std::string_view method_;
};

}  // namespace gaggle
