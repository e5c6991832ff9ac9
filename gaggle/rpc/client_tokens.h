// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <memory>
#include <optional>

#include "gaggle/base/context.h"
#include "gaggle/base/ref.h"
#include "gaggle/base/status.h"
#include "gaggle/net/loop_work.h"
#include "gaggle/net/task_promise.h"
#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/credentials/call_credentials.h"
#include "gaggle/rpc/metadata.h"

namespace gaggle {

class ClientAttempt;
class ClientChannel;
class ClientSubConn;

// What credentials add to one attempt at a call.
struct CallTokens {
  std::shared_ptr<const Metadata> of_connection;
  std::shared_ptr<const Metadata> of_call;
};

// Whether the connection or the call has credentials.
bool wants_tokens(const ClientChannel& channel, const CallOptions& options) noexcept;

// UNAUTHENTICATED when the connection isn't private enough for them.
Status check_tokens(const ClientChannel& channel, const CallOptions& options);

// Asks the credentials of the connection and of the call on behalf of one attempt, which has a place to
// go to by then: what they give is as young as it can be, and nobody is asked for calls that go nowhere.
//
// They are asked at the end of the loop's turn, since they are the user's code. Answers that are there
// at once cost no allocation. While one isn't, the call can't complete: whoever made it owns what the
// credentials are looking at. On the channel's loop.
class TokenFetch final : private TaskCompletion<CallCredentials::Answer> {
 public:
  explicit TokenFetch(ClientAttempt& attempt) noexcept;
  ~TokenFetch() override;

  // ClientAttempt::on_tokens follows, in another turn of the loop maybe.
  void begin(ClientSubConn& place);
  bool is_under_way() const noexcept { return static_cast<bool>(place_); }
  // Nobody wants them any more: they are not used, and whoever is asked hears of it.
  void leave(const Status& why) noexcept;
  void reset() noexcept { tokens_ = {}; }

  const CallTokens& tokens() const noexcept { return tokens_; }

 private:
  void ask();
  void ask_next();
  CallCredentials* next() noexcept;
  void end(Status status);
  void on_done(CallCredentials::Answer&& answer) noexcept override;
  void on_exception(std::exception_ptr error) noexcept override;

  ClientAttempt& attempt_;
  Ref<ClientSubConn> place_;  // from begin() to the end
  CallTokens tokens_;
  int asked_ = 0;        // of the two
  bool asking_ = false;  // since ask()
  bool wanted_ = false;
  std::optional<CancelSource> source_;  // once an answer didn't come at once
  Context nothing_;
  HookOf<&TokenFetch::ask> ask_{*this};
};

}  // namespace gaggle
