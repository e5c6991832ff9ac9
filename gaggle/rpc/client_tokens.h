// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "gaggle/base/context.h"
#include "gaggle/base/status.h"
#include "gaggle/net/task.h"
#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/metadata.h"

namespace gaggle {

class ClientChannel;

// What credentials add to one call; lives as long as the call.
struct CallTokens {
  std::shared_ptr<const Metadata> of_connection;
  std::shared_ptr<const Metadata> of_call;
};

// Whether the connection or the call has credentials.
bool wants_tokens(const ClientChannel& channel, const CallOptions& options) noexcept;

// Asks the credentials of the connection and of the call, and lets the options point to what they gave.
// On the caller's loop, within the call's context. UNAUTHENTICATED when the connection isn't private
// enough for them; their own error otherwise, INTERNAL for codes that gRFC A54 lists. `channel`,
// `options` and `tokens` outlive the task.
Task<Status> fetch_tokens(const ClientChannel& channel, const Context& context, std::string_view method,
                          CallOptions& options, CallTokens& tokens);

}  // namespace gaggle
