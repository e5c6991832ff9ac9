// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_interceptors.h"

#include <atomic>
#include <utility>

#include "gaggle/rpc/client_hooks.h"
#include "gaggle/rpc/thrown.h"

namespace gaggle {

using StreamResult = Result<std::unique_ptr<ClientStream>>;

// --- The chain: each step makes the next one in its own frame ---

class ClientCallChain::UnaryStep final : public UnaryInvoker {
 public:
  UnaryStep(const ClientCallChain& chain, size_t index) noexcept : chain_(chain), index_(index) {}
  Task<Status> operator()(Context context, std::string_view method, ConstMessage request, Message response,
                          CallOptions options) override {
    if (index_ < chain_.interceptors_.unary.size()) {
      return chain_.run_unary(index_, std::move(context), method, request, response, options);
    }
    return chain_.below_->invoke(std::move(context), method, request, response, options);
  }

 private:
  const ClientCallChain& chain_;
  const size_t index_;
};

Task<Status> ClientCallChain::run_unary(size_t index, Context context, std::string_view method, ConstMessage request,
                                        Message response, CallOptions options) const {
  UnaryStep next(*this, index + 1);
  UnaryClientInterceptor& interceptor = *interceptors_.unary[index];
  Status status;
  try {
    Task<Status> rest = interceptor.intercept(std::move(context), method, request, response, options, *conn_, next);
    status = co_await std::move(rest);
  } catch (...) {
    status = status_of_thrown("an interceptor");
  }
  co_return status;
}

class ClientCallChain::StreamStep final : public Streamer {
 public:
  StreamStep(const ClientCallChain& chain, size_t index) noexcept : chain_(chain), index_(index) {}
  Task<StreamResult> operator()(Context context, const StreamDesc& desc, std::string_view method,
                                CallOptions options) override {
    if (index_ < chain_.interceptors_.stream.size()) {
      return chain_.run_stream(index_, std::move(context), desc, method, options);
    }
    return chain_.below_->new_stream(std::move(context), desc, method, options);
  }

 private:
  const ClientCallChain& chain_;
  const size_t index_;
};

Task<StreamResult> ClientCallChain::run_stream(size_t index, Context context, const StreamDesc& desc,
                                               std::string_view method, CallOptions options) const {
  StreamStep next(*this, index + 1);
  StreamClientInterceptor& interceptor = *interceptors_.stream[index];
  StreamResult stream = Status::internal("an interceptor gave no stream");
  try {
    Task<StreamResult> rest = interceptor.intercept(std::move(context), desc, method, options, *conn_, next);
    StreamResult opened = co_await std::move(rest);
    if (!opened || *opened != nullptr) stream = std::move(opened);
  } catch (...) {
    stream = status_of_thrown("an interceptor");
  }
  co_return stream;
}

// --- Around it: the hooks ---

namespace {

// A stream whose end the hooks of its call are waiting for. A sender and a receiver may notice it at
// once, on two threads.
class FinishingStream final : public ClientStreamWrapper {
 public:
  // `hooks` may be null.
  FinishingStream(std::unique_ptr<ClientStream> stream, std::unique_ptr<CallHooks> hooks,
                  FinishHooks&& finish_hooks) noexcept
      : ClientStreamWrapper(std::move(stream)), hooks_(std::move(hooks)), finish_hooks_(std::move(finish_hooks)) {}
  ~FinishingStream() override {
    // What lies below notes what it knows when it's destroyed.
    destroy_wrapped();
    finish(Status::cancelled("the stream was destroyed before its call had ended"));
  }

  using ClientStream::send;
  Task<Result<bool>> send(ConstMessage message, SendOptions options) override {
    Result<bool> sent = false;
    try {
      Task<Result<bool>> sending = wrapped().send(message, options);
      sent = co_await std::move(sending);
    } catch (...) {
      sent = status_of_thrown("an interceptor's stream");
    }
    // Refused (FAILED_PRECONDITION) changes nothing; anything else has ended the call.
    if (!sent && sent.error().code() != StatusCode::kFailedPrecondition) finish(sent.error());
    co_return sent;
  }

  Task<Result<bool>> recv(Message message) override {
    // A second one at a time is refused below, which isn't the call's end.
    if (receiving_.exchange(true)) co_return Status::failed_precondition("a recv is under way: one at a time");
    Result<bool> more = false;
    try {
      Task<Result<bool>> receiving = wrapped().recv(message);
      more = co_await std::move(receiving);
    } catch (...) {
      more = status_of_thrown("an interceptor's stream");
    }
    receiving_ = false;
    if (!more || !*more) finish(more.status());
    co_return more;
  }

 private:
  void finish(const Status& status) noexcept {
    if (finished_.exchange(true)) return;
    if (hooks_ != nullptr) hooks_->after(status);
    finish_hooks_.run(status);
  }

  const std::unique_ptr<CallHooks> hooks_;
  FinishHooks finish_hooks_;
  std::atomic<bool> receiving_{false};
  std::atomic<bool> finished_{false};
};

}  // namespace

Task<Status> ClientCallChain::invoke(std::shared_ptr<const ClientCallChain> chain, Context context,
                                     std::string_view method, ConstMessage request, Message response,
                                     CallOptions options) {
  FinishHooks finish_hooks(chain->hooks_.on_finish, options.on_finish, method);
  CallHooks hooks(chain->hooks_.custom, options.custom, method, options);
  Status status = hooks.before();
  if (status.is_ok()) {
    UnaryStep first(*chain, 0);
    try {
      // What interceptors wait for ends with the call.
      Task<Status> call = first(context, hooks.method(), request, response, hooks.options());
      status = co_await in_context(context, std::move(call));
    } catch (...) {
      status = status_of_thrown("the connection below");
    }
  }
  hooks.after(status);
  finish_hooks.run(status);
  co_return status;
}

Task<StreamResult> ClientCallChain::new_stream(std::shared_ptr<const ClientCallChain> chain, Context context,
                                               const StreamDesc& desc, std::string_view method, CallOptions options) {
  FinishHooks finish_hooks(chain->hooks_.on_finish, options.on_finish, method);
  std::unique_ptr<CallHooks> hooks;
  if (!chain->hooks_.custom.empty() || !options.custom.empty()) {
    hooks = std::make_unique<CallHooks>(chain->hooks_.custom, options.custom, method, options);
    if (Status refused = hooks->before(); !refused) {
      hooks->after(refused);
      finish_hooks.run(refused);
      co_return refused;
    }
    options = hooks->options();
    method = hooks->method();
  }
  options.on_finish = {};
  StreamStep first(*chain, 0);
  StreamResult stream = Status::internal("the connection below gave no stream");
  try {
    Task<StreamResult> opening = first(context, desc, method, options);
    StreamResult opened = co_await in_context(context, std::move(opening));
    if (!opened || *opened != nullptr) stream = std::move(opened);
  } catch (...) {
    stream = status_of_thrown("the connection below");
  }
  if (!stream) {
    if (hooks != nullptr) hooks->after(stream.error());
    finish_hooks.run(stream.error());
    co_return stream.error();
  }
  if (hooks == nullptr && finish_hooks.empty()) co_return stream;
  std::unique_ptr<ClientStream> finishing =
      std::make_unique<FinishingStream>(*std::move(stream), std::move(hooks), std::move(finish_hooks));
  co_return finishing;
}

// --- Any connection, intercepted ---

namespace {

// The connection that somebody else owns.
class Borrowed final : public ClientConnInterface {
 public:
  explicit Borrowed(ClientConnInterface& conn) noexcept : conn_(conn) {}
  Task<Status> invoke(Context context, std::string_view method, ConstMessage request, Message response,
                      CallOptions options) override {
    return conn_.invoke(std::move(context), method, request, response, options);
  }
  Task<StreamResult> new_stream(Context context, const StreamDesc& desc, std::string_view method,
                                CallOptions options) override {
    return conn_.new_stream(std::move(context), desc, method, options);
  }
  Loop& loop() noexcept override { return conn_.loop(); }

 private:
  ClientConnInterface& conn_;
};

class InterceptedConn final : public ClientConnInterface {
 public:
  InterceptedConn(ClientConnInterface& conn, ClientInterceptors interceptors)
      : InterceptedConn(conn, std::move(interceptors), std::make_shared<Borrowed>(conn)) {}
  Task<Status> invoke(Context context, std::string_view method, ConstMessage request, Message response,
                      CallOptions options) override {
    return ClientCallChain::invoke(chain_, std::move(context), method, request, response, options);
  }
  Task<StreamResult> new_stream(Context context, const StreamDesc& desc, std::string_view method,
                                CallOptions options) override {
    return ClientCallChain::new_stream(chain_, std::move(context), desc, method, options);
  }
  Loop& loop() noexcept override { return conn_.loop(); }

 private:
  InterceptedConn(ClientConnInterface& conn, ClientInterceptors interceptors,
                  std::shared_ptr<ClientConnInterface> below)
      : conn_(conn),
        chain_(std::make_shared<const ClientCallChain>(std::move(interceptors), CallHookLists{}, below, below)) {}

  ClientConnInterface& conn_;
  const std::shared_ptr<const ClientCallChain> chain_;
};

}  // namespace

std::unique_ptr<ClientConnInterface> intercept(ClientConnInterface& conn, ClientInterceptors interceptors) {
  return std::make_unique<InterceptedConn>(conn, std::move(interceptors));
}

}  // namespace gaggle
