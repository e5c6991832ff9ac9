// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_interceptors.h"

#include "gaggle/rpc/server_methods.h"
#include "gaggle/rpc/server_stream.h"

namespace gaggle {

UnaryServerInterceptor* InterceptorChain::get() noexcept {
  if (interceptors_.empty()) return nullptr;
  return interceptors_.size() == 1 ? interceptors_.front() : this;
}

// The chain behind one interceptor, as that one sees it.
class InterceptorChain::Rest final : public UnaryHandler {
 public:
  Rest(InterceptorChain& chain, size_t index, const UnaryServerInfo& info, UnaryHandler& last)
      : chain_(chain), index_(index), info_(info), last_(last) {}

  Task<Status> operator()(ServerContext& context, ConstMessage request, Message response) override {
    if (index_ == chain_.interceptors_.size()) return last_(context, request, response);
    return chain_.run_from(index_, context, request, response, info_, last_);
  }

 private:
  InterceptorChain& chain_;
  size_t index_;
  const UnaryServerInfo& info_;
  UnaryHandler& last_;
};

Task<Status> InterceptorChain::intercept(ServerContext& context, ConstMessage request, Message response,
                                         const UnaryServerInfo& info, UnaryHandler& next) {
  return run_from(0, context, request, response, info, next);
}

Task<Status> InterceptorChain::run_from(size_t index, ServerContext& context, ConstMessage request, Message response,
                                        const UnaryServerInfo& info, UnaryHandler& last) {
  Rest rest(*this, index + 1, info, last);
  co_return co_await interceptors_[index]->intercept(context, request, response, info, rest);
}

// --- Streams ---

StreamServerInterceptor* StreamInterceptorChain::get() noexcept {
  if (interceptors_.empty()) return nullptr;
  return interceptors_.size() == 1 ? interceptors_.front() : this;
}

class StreamInterceptorChain::Rest final : public StreamHandler {
 public:
  Rest(StreamInterceptorChain& chain, size_t index, const StreamServerInfo& info, StreamHandler& last)
      : chain_(chain), index_(index), info_(info), last_(last) {}

  Task<Status> operator()(ServerStream& stream) override {
    if (index_ == chain_.interceptors_.size()) return last_(stream);
    return chain_.run_from(index_, stream, info_, last_);
  }

 private:
  StreamInterceptorChain& chain_;
  size_t index_;
  const StreamServerInfo& info_;
  StreamHandler& last_;
};

Task<Status> StreamInterceptorChain::intercept(ServerStream& stream, const StreamServerInfo& info,
                                               StreamHandler& next) {
  return run_from(0, stream, info, next);
}

Task<Status> StreamInterceptorChain::run_from(size_t index, ServerStream& stream, const StreamServerInfo& info,
                                              StreamHandler& last) {
  Rest rest(*this, index + 1, info, last);
  co_return co_await interceptors_[index]->intercept(stream, info, rest);
}

namespace {

class MethodHandler final : public StreamHandler {
 public:
  explicit MethodHandler(const ServerMethod& method) : method_(method) {}
  Task<Status> operator()(ServerStream& stream) override {
    return method_.stream->handler(method_.implementation, stream);
  }

 private:
  const ServerMethod& method_;
};

}  // namespace

Task<Status> intercept_stream(StreamServerInterceptor& interceptor, const ServerMethod& method, std::string_view path,
                              ServerStream& stream) {
  MethodHandler last(method);
  StreamServerInfo info = method.stream_info;
  info.full_method = path;
  co_return co_await interceptor.intercept(stream, info, last);
}

}  // namespace gaggle
