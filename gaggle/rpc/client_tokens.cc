// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_tokens.h"

#include <cassert>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/net/task.h"
#include "gaggle/rpc/client_attempt.h"
#include "gaggle/rpc/client_call.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/client_subconn.h"
#include "gaggle/rpc/control_plane.h"
#include "gaggle/rpc/thrown.h"

namespace gaggle {

bool wants_tokens(const ClientChannel& channel, const CallOptions& options) noexcept {
  return channel.options().call_credentials != nullptr || options.credentials != nullptr;
}

Status check_tokens(const ClientChannel& channel, const CallOptions& options) {
  if (channel.credentials().security_level() == SecurityLevel::kPrivacyAndIntegrity) return {};
  for (const CallCredentials* credentials : {channel.options().call_credentials, options.credentials}) {
    if (credentials == nullptr || !credentials->requires_privacy()) continue;
    return Status::unauthenticated("the credentials would be readable on the way: the connection isn't private");
  }
  return {};
}

TokenFetch::TokenFetch(ClientAttempt& attempt) noexcept : attempt_(attempt) {}

TokenFetch::~TokenFetch() = default;

void TokenFetch::begin(ClientSubConn& place) {
  assert(!place_ && "one at a time");
  place_ = Ref<ClientSubConn>::share(&place);
  tokens_ = {};
  asked_ = 0;
  wanted_ = true;
  attempt_.call().channel().loop().defer(ask_);
}

void TokenFetch::leave(const Status& why) noexcept {
  if (!place_) return;
  wanted_ = false;
  if (!asking_) {
    ask_.cancel();
    place_ = nullptr;
  } else if (source_) {
    source_->cancel(why.is_ok() ? Status::cancelled("the call went on without it") : why);
  }
}

void TokenFetch::ask() {
  asking_ = true;
  attempt_.call().hold();
  ask_next();
}

CallCredentials* TokenFetch::next() noexcept {
  ClientCallBase& call = attempt_.call();
  CallCredentials* credentials = nullptr;
  if (asked_ == 0) {
    credentials = call.channel().options().call_credentials;
    ++asked_;
  }
  if (credentials == nullptr && asked_ == 1) {
    credentials = call.options().credentials;
    ++asked_;
  }
  return credentials;
}

// Nothing here may be touched after end(), which an answer that is there at once leads to.
void TokenFetch::ask_next() {
  CallCredentials* const credentials = wanted_ ? next() : nullptr;
  if (credentials == nullptr) return end({});
  ClientCallBase& call = attempt_.call();
  const std::string_view own = call.options().authority;
  const CallCredentialsRequest request{own.empty() ? std::string_view(call.channel().authority()) : own, call.method()};
  std::optional<Task<CallCredentials::Answer>> asking;
  try {
    asking.emplace(credentials->metadata(request));
  } catch (...) {
    return on_exception(std::current_exception());
  }
  if (asking->is_ready()) return start(*std::move(asking), *this, nothing_);
  if (source_) {
    source_->reset(call.context());
  } else {
    source_.emplace(call.context());
  }
  start(*std::move(asking), *this, source_->context());
}

void TokenFetch::on_done(CallCredentials::Answer&& answer) noexcept {
  if (!answer) return end(restrict_control_plane(answer.error()));
  if (*answer != nullptr) {
    if (const Status bad = (*answer)->check(); !bad) return end(Status::internal(bad.message()));
  }
  (asked_ == 1 ? tokens_.of_connection : tokens_.of_call) = *std::move(answer);
  ask_next();
}

void TokenFetch::on_exception(std::exception_ptr error) noexcept {
  try {
    std::rethrow_exception(std::move(error));
  } catch (...) {
    end(status_of_thrown("the credentials"));
  }
}

void TokenFetch::end(Status status) {
  asking_ = false;
  const Ref<ClientSubConn> place = std::move(place_);
  ClientCallBase& call = attempt_.call();
  if (std::exchange(wanted_, false)) attempt_.on_tokens(std::move(status), *place);
  call.release();
}

}  // namespace gaggle
