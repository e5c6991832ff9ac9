// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "gaggle/rpc/client_interceptor.h"

namespace gaggle {

// The hooks that a connection's defaults bring to each of its calls.
struct CallHookLists {
  std::span<CallOption* const> custom = {};
  std::span<FinishHook* const> on_finish = {};

  bool empty() const noexcept { return custom.empty() && on_finish.empty(); }
};

// What stands above a connection's calls: its interceptors, and around them the hooks. Shared
// by the connection and its calls, since a call may go on when the connection has been destroyed.
// Constant, so any number of calls use it at once.
class ClientCallChain {
 public:
  // `below` is where calls end up; `conn` is for calls that interceptors make themselves.
  ClientCallChain(ClientInterceptors interceptors, CallHookLists hooks, std::shared_ptr<ClientConnInterface> below,
                  std::shared_ptr<ClientConnInterface> conn)
      : interceptors_(std::move(interceptors)), hooks_(hooks), below_(std::move(below)), conn_(std::move(conn)) {}

  // Nothing stands above a call with these options.
  bool is_empty_for_unary(const CallOptions& options) const noexcept {
    return interceptors_.unary.empty() && hooks_.empty() && options.on_finish.empty() && options.custom.empty();
  }
  bool is_empty_for_stream(const CallOptions& options) const noexcept {
    return interceptors_.stream.empty() && hooks_.empty() && options.on_finish.empty() && options.custom.empty();
  }

  static Task<Status> invoke(std::shared_ptr<const ClientCallChain> chain, Context context, std::string_view method,
                             ConstMessage request, Message response, CallOptions options);
  static Task<Result<std::unique_ptr<ClientStream>>> new_stream(std::shared_ptr<const ClientCallChain> chain,
                                                                Context context, const StreamDesc& desc,
                                                                std::string_view method, CallOptions options);

 private:
  class UnaryStep;
  class StreamStep;
  Task<Status> run_unary(size_t index, Context context, std::string_view method, ConstMessage request, Message response,
                         CallOptions options) const;
  Task<Result<std::unique_ptr<ClientStream>>> run_stream(size_t index, Context context, const StreamDesc& desc,
                                                         std::string_view method, CallOptions options) const;

  const ClientInterceptors interceptors_;
  const CallHookLists hooks_;
  const std::shared_ptr<ClientConnInterface> below_;
  const std::shared_ptr<ClientConnInterface> conn_;
};

}  // namespace gaggle
