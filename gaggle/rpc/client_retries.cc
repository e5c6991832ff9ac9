// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_retries.h"

#include <algorithm>
#include <utility>

#include "gaggle/rpc/client_call.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/retry_backoff.h"
#include "gaggle/rpc/retry_throttle.h"

namespace gaggle {

ClientRetries::ClientRetries(ClientCallBase& call) : call_(call), timer_(call.channel().loop(), *this) {}

void ClientRetries::reset() {
  attempts_ = 1;
  backoffs_ = 0;
  over_ = false;
  last_failure_ = {};
  for (size_t i = 0; i < hedges_used_; ++i) hedges_[i]->reset();
  hedges_used_ = 0;
}

uint32_t ClientRetries::max_attempts(uint32_t by_policy) const noexcept {
  return std::min(by_policy, call_.options().max_attempts.value_or(kMaxCallAttempts));
}

bool ClientRetries::is_any_under_way() const noexcept {
  if (call_.first_.is_under_way()) return true;
  const auto end = hedges_.begin() + static_cast<std::ptrdiff_t>(hedges_used_);
  return std::any_of(hedges_.begin(), end, [](const auto& hedge) { return hedge->is_under_way(); });
}

// Too many calls of the connection fail: then there are no more attempts at this one.
bool ClientRetries::may_go_on() {
  const RetryThrottle* const throttle = call_.channel().retry_throttle();
  if (throttle == nullptr || throttle->allows()) return true;
  ++call_.channel().counters().retries_throttled;
  over_ = true;
  return false;
}

bool ClientRetries::attempt_failed(ClientAttempt& attempt, const Status& status) {
  last_failure_ = status;
  attempt.leave(status);
  return call_.retry_ != nullptr ? retry_after(attempt, status) : hedge_after(attempt, status);
}

// --- Retries ---

bool ClientRetries::retry_after(ClientAttempt& attempt, const Status& status) {
  const RetryPolicy& policy = *call_.retry_;
  const RetryPushback pushback = read_pushback(attempt.trailers());
  const bool retryable = policy.codes.contains(status.code());
  // A6: only failures that could be retried say something about the server, and a server that wants
  // no retries has said so itself.
  RetryThrottle* const throttle = call_.channel().retry_throttle();
  if (throttle != nullptr && (retryable || pushback.stop)) throttle->on_failure();
  if (pushback.stop || !retryable || attempts_ >= max_attempts(policy.max_attempts) || !may_go_on()) return false;
  if (pushback.delay) {
    backoffs_ = 0;
    timer_.arm_after(*pushback.delay);
  } else {
    timer_.arm_after(retry_backoff(policy, backoffs_++, call_.channel().random()));
  }
  return true;
}

// --- Hedging ---

void ClientRetries::attempt_opened() {
  if (over_ || timer_.armed() || attempts_ >= max_attempts(call_.hedging_->max_attempts)) return;
  timer_.arm_after(call_.hedging_->delay);
}

bool ClientRetries::hedge_after(ClientAttempt& attempt, const Status& status) {
  const HedgingPolicy& policy = *call_.hedging_;
  const RetryPushback pushback = read_pushback(attempt.trailers());
  const bool fatal = !policy.non_fatal.contains(status.code());
  if (RetryThrottle* const throttle = call_.channel().retry_throttle(); throttle != nullptr) {
    if (!fatal || pushback.stop) throttle->on_failure();
  }
  if (fatal) {
    settle_on(attempt);
    return false;
  }
  over_ |= pushback.stop || attempts_ >= max_attempts(policy.max_attempts);
  if (over_ || !may_go_on()) {
    timer_.disarm();
    return is_any_under_way();
  }
  timer_.arm_after(pushback.delay.value_or(Duration::zero()));
  return true;
}

void ClientRetries::send_hedge() {
  if (hedges_used_ == hedges_.size()) hedges_.push_back(std::make_unique<ClientAttempt>(call_));
  ClientAttempt& hedge = *hedges_[hedges_used_++];
  ++call_.channel().counters().hedges;
  hedge.begin(attempts_++);
}

void ClientRetries::on_timer() noexcept {
  if (call_.retry_ != nullptr) {
    ++call_.channel().counters().retries;
    return call_.first_.begin(attempts_++);
  }
  if (call_.hedging_ == nullptr) return;
  if (may_go_on()) return send_hedge();
  if (!is_any_under_way()) call_.finish(last_failure_);
}

// --- The end ---

void ClientRetries::settle_on(ClientAttempt& winner) {
  over_ = true;
  timer_.disarm();
  const Status why = Status::cancelled("another attempt at the call has decided it");
  if (&winner != &call_.first_) call_.first_.leave(why);
  for (size_t i = 0; i < hedges_used_; ++i) {
    if (hedges_[i].get() != &winner) hedges_[i]->leave(why);
  }
}

void ClientRetries::stop(const Status& why) {
  over_ = true;
  timer_.disarm();
  for (size_t i = 0; i < hedges_used_; ++i) hedges_[i]->leave(why);
}

}  // namespace gaggle
