// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_interceptors.h"

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

}  // namespace gaggle
