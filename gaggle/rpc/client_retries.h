// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gaggle/base/status.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/client_attempt.h"

namespace gaggle {

class ClientCallBase;
class RetryThrottle;

// When a call's further attempts are made, by the retry or the hedging policy that it has. gRFC A6.
//
// Made when the first attempt of a call with a policy has failed, or was opened to be hedged; until
// the call is committed or done. A retry uses the call's first attempt again, hedges are kept here.
// On the channel's loop.
class ClientRetries {
 public:
  explicit ClientRetries(ClientCallBase& call);

  // Hedging: an attempt is on its way, the next one follows after the delay.
  void attempt_opened();
  // True: there is or will be another attempt. False: the call ends as this attempt has.
  bool attempt_failed(ClientAttempt& attempt, const Status& status);
  // Nothing new from now on, and everything but `winner` is given up.
  void settle_on(ClientAttempt& winner);
  // The call has ended with `why`.
  void stop(const Status& why);
  // For the next call.
  void reset();

  // How the latest attempt that failed did; OK if none has.
  const Status& last_failure() const noexcept { return last_failure_; }
  // More than the first attempt has been made.
  bool has_repeated() const noexcept { return attempts_ > 1; }
  template <class Function>
  void each_open_hedge(Function& function) {
    for (size_t i = 0; i < hedges_used_; ++i) {
      if (hedges_[i]->stream() != nullptr) function(*hedges_[i]);
    }
  }

 private:
  bool retry_after(ClientAttempt& attempt, const Status& status);
  bool hedge_after(ClientAttempt& attempt, const Status& status);
  void on_timer() noexcept;
  void send_hedge();
  bool may_go_on();
  bool is_any_under_way() const noexcept;
  uint32_t max_attempts(uint32_t by_policy) const noexcept;

  ClientCallBase& call_;
  uint32_t attempts_ = 1;  // made, the first one included
  uint32_t backoffs_ = 0;  // in a row, without a delay that the server named
  bool over_ = false;      // no attempt follows
  Status last_failure_;
  std::vector<std::unique_ptr<ClientAttempt>> hedges_;
  size_t hedges_used_ = 0;
  TimerOf<&ClientRetries::on_timer> timer_;
};

}  // namespace gaggle
