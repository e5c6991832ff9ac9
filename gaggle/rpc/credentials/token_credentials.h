// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gaggle/base/clock.h"
#include "gaggle/base/context.h"
#include "gaggle/rpc/credentials/call_credentials.h"

namespace gaggle {

// Sends the same `authorization: Bearer TOKEN` with every call.
class StaticTokenCredentials final : public CallCredentials {
 public:
  // INVALID_ARGUMENT when the token can't travel.
  static Result<std::unique_ptr<StaticTokenCredentials>> create(std::string_view token, bool requires_privacy = true);

  Task<Answer> metadata(CallCredentialsRequest) override { return Task<Answer>::ready(metadata_); }
  bool requires_privacy() const noexcept override { return requires_privacy_; }

 private:
  StaticTokenCredentials(std::shared_ptr<const Metadata> metadata, bool requires_privacy)
      : metadata_(std::move(metadata)), requires_privacy_(requires_privacy) {}

  const std::shared_ptr<const Metadata> metadata_;
  const bool requires_privacy_;
};

// A token, and for how long it's good from now.
struct AccessToken {
  std::string value;
  Duration lifetime = std::chrono::hours{1};
};

// Gets a new token, on some loop, within the context's time. An error ends the calls that wait for it, as
// CallCredentials::metadata does; an exception is INTERNAL with its words. A function that gives a coroutine
// must not be a capturing lambda: see task.h.
using TokenFetcher = std::function<Task<Result<AccessToken>>(Context context)>;

struct RefreshingTokenOptions {
  TokenFetcher fetch;  // needed
  // So long before its end a token is replaced, while calls go on with the old one; but a token is used
  // for half of its lifetime at least.
  Duration refresh_ahead = std::chrono::minutes{5};
  Duration fetch_timeout = std::chrono::seconds{30};
  // After a fetch has failed, its error is the answer for so long.
  Duration retry_after = std::chrono::seconds{1};
  bool requires_privacy = true;
};

// Sends `authorization: Bearer TOKEN`, and gets a new token before the old one ends.
//
// Calls wait, within their deadlines, only while there is no good token. One fetch runs at a time,
// whatever number of calls wait for it on however many loops; it runs on the loop of the call that
// needed it first, and isn't cancelled with that call.
class RefreshingTokenCredentials final : public CallCredentials {
 public:
  // INVALID_ARGUMENT without a fetcher.
  static Result<std::unique_ptr<RefreshingTokenCredentials>> create(RefreshingTokenOptions options);
  ~RefreshingTokenCredentials() override;

  Task<Answer> metadata(CallCredentialsRequest request) override;
  bool requires_privacy() const noexcept override;

 private:
  class State;
  explicit RefreshingTokenCredentials(std::shared_ptr<State> state);

  const std::shared_ptr<State> state_;
};

}  // namespace gaggle
