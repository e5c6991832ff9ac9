// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "gaggle/rpc/service.h"

namespace gaggle {

// Several interceptors as one: the first is the outermost. None of them is owned.
class InterceptorChain final : public UnaryServerInterceptor {
 public:
  explicit InterceptorChain(std::vector<UnaryServerInterceptor*> interceptors)
      : interceptors_(std::move(interceptors)) {}

  // What a handler is given: null when there is none, the only one itself, or this chain.
  UnaryServerInterceptor* get() noexcept;

  Task<Status> intercept(ServerContext& context, ConstMessage request, Message response, const UnaryServerInfo& info,
                         UnaryHandler& next) override;

 private:
  class Rest;
  Task<Status> run_from(size_t index, ServerContext& context, ConstMessage request, Message response,
                        const UnaryServerInfo& info, UnaryHandler& last);

  std::vector<UnaryServerInterceptor*> interceptors_;
};

}  // namespace gaggle
