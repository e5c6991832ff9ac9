// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "gaggle/base/ref.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/client_interceptors.h"

namespace gaggle {

// A channel with what stands above its calls, from outside to inside: hooks, interceptors, codec. A
// call that has nothing of these goes straight to the channel. Any thread.
struct ChainedCalls {
  Ref<ClientChannel> channel;
  std::shared_ptr<const ClientCallChain> chain;

  Task<Status> invoke(Context context, std::string_view method, ConstMessage request, Message response,
                      const CallOptions& options) const;
  Task<Result<std::unique_ptr<ClientStream>>> new_stream(Context context, const StreamDesc& desc,
                                                         std::string_view method, const CallOptions& options) const;
};

// With what the channel's options say.
ChainedCalls chain_calls(const Ref<ClientChannel>& channel);

}  // namespace gaggle
