// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_tokens.h"

#include <utility>

#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/control_plane.h"
#include "gaggle/rpc/credentials/call_credentials.h"

namespace gaggle {
namespace {

Task<Status> fetch(const ClientChannel& channel, const Context& context, CallCredentials& credentials,
                   CallCredentialsRequest request, std::shared_ptr<const Metadata>& out) {
  if (credentials.requires_privacy() && channel.credentials().security_level() != SecurityLevel::kPrivacyAndIntegrity) {
    co_return Status::unauthenticated("the credentials would be readable on the way: the connection isn't private");
  }
  Task<CallCredentials::Answer> asking = credentials.metadata(request);
  CallCredentials::Answer answer = co_await in_context(context, std::move(asking));
  if (!answer) co_return restrict_control_plane(answer.error());
  out = *std::move(answer);
  co_return Status::ok();
}

}  // namespace

bool wants_tokens(const ClientChannel& channel, const CallOptions& options) noexcept {
  return channel.options().call_credentials != nullptr || options.credentials != nullptr;
}

Task<Status> fetch_tokens(const ClientChannel& channel, const Context& context, std::string_view method,
                          CallOptions& options, CallTokens& tokens) {
  options.tokens = &tokens;
  const std::string_view authority = options.authority.empty() ? channel.authority() : options.authority;
  if (CallCredentials* const credentials = channel.options().call_credentials) {
    Task<Status> fetching = fetch(channel, context, *credentials, {authority, method}, tokens.of_connection);
    Status status = co_await std::move(fetching);
    if (!status) co_return status;
  }
  if (options.credentials == nullptr) co_return Status::ok();
  Task<Status> fetching = fetch(channel, context, *options.credentials, {authority, method}, tokens.of_call);
  Status status = co_await std::move(fetching);
  co_return status;
}

}  // namespace gaggle
