// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "gaggle/rpc/service.h"

namespace gaggle {

struct ServerMethod;

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

// The same for streaming methods.
class StreamInterceptorChain final : public StreamServerInterceptor {
 public:
  explicit StreamInterceptorChain(std::vector<StreamServerInterceptor*> interceptors)
      : interceptors_(std::move(interceptors)) {}

  StreamServerInterceptor* get() noexcept;

  Task<Status> intercept(ServerStream& stream, const StreamServerInfo& info, StreamHandler& next) override;

 private:
  class Rest;
  Task<Status> run_from(size_t index, ServerStream& stream, const StreamServerInfo& info, StreamHandler& last);

  std::vector<StreamServerInterceptor*> interceptors_;
};

// A streaming call of `method` behind `interceptor`; `path` is the call's own, which `method` doesn't
// know when it stands for all unknown ones. Everything lives until the call has ended.
Task<Status> intercept_stream(StreamServerInterceptor& interceptor, const ServerMethod& method, std::string_view path,
                              ServerStream& stream);

}  // namespace gaggle
