// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>

#include "gaggle/rpc/call_attempt.h"
#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/thrown.h"

namespace gaggle {

// Where a call notes what its attempts met, while somebody wants to know: on its loop, or where its
// stream is received from. Thread-safe, since a stream may end on its sender's side meanwhile.
class CallRecord {
 public:
  void set_peer(const Peer& peer) {
    const std::lock_guard lock(mutex_);
    attempt_.peer = peer;
  }
  // Everything but status and peer.
  void set_answer(CallAttempt&& attempt) {
    const std::lock_guard lock(mutex_);
    attempt.peer = std::move(attempt_.peer);
    attempt_ = std::move(attempt);
  }
  CallAttempt take(const Status& status) {
    const std::lock_guard lock(mutex_);
    CallAttempt attempt = std::exchange(attempt_, {});
    attempt.status = status;
    return attempt;
  }

 private:
  std::mutex mutex_;
  CallAttempt attempt_;  // guarded
};

// The CallOption hooks of one call, the connection's before the call's own: `before` in order until
// one refuses, `after` exactly once for each that agreed, in reverse, at the latest when this is
// destroyed. Not thread-safe.
class CallHooks {
 public:
  CallHooks(std::span<CallOption* const> defaults, std::span<CallOption* const> own, std::string_view method,
            const CallOptions& options) noexcept
      : lists_{defaults, own}, options_(options), info_{method, &options_}, outer_(options.record) {
    options_.custom = {};
    options_.on_finish = {};
    if (!defaults.empty() || !own.empty()) options_.record = &record_;
  }
  CallHooks(const CallHooks&) = delete;
  CallHooks& operator=(const CallHooks&) = delete;
  // Whoever awaited the call was destroyed.
  ~CallHooks() { after(Status::cancelled("the call was given up")); }

  // What the hooks have made of them; valid as long as this.
  const CallOptions& options() const noexcept { return options_; }
  std::string_view method() const noexcept { return info_.method; }

  Status before() {
    for (const auto& list : lists_) {
      for (CallOption* hook : list) {
        if (Status refused = ask(*hook); !refused) return refused;
        ++agreed_;
      }
    }
    return {};
  }

  void after(const Status& status) noexcept {
    if (agreed_ == 0) return;
    const CallAttempt attempt = record_.take(status);
    if (outer_ != nullptr) {
      outer_->set_peer(attempt.peer);
      outer_->set_answer(CallAttempt(attempt));
    }
    while (agreed_ != 0) {
      --agreed_;
      const size_t first = lists_[0].size();
      (agreed_ < first ? lists_[0][agreed_] : lists_[1][agreed_ - first])->after(info_, attempt);
    }
  }

 private:
  Status ask(CallOption& hook) noexcept {
    try {
      return hook.before(info_);
    } catch (...) {
      return status_of_thrown("a CallOption");
    }
  }

  const std::span<CallOption* const> lists_[2];
  CallOptions options_;
  CallInfo info_;
  CallRecord record_;
  CallRecord* const outer_;  // of hooks further out, when an interceptor added these
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
  // Whoever awaited the call was destroyed.
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
