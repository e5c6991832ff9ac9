// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "gaggle/rpc/client_conn_interface.h"

namespace gaggle {

// The rest of a unary call behind an interceptor: the next one, at last the connection.
//
// May be called again and again, also several times at once, until the interceptor's own task has
// ended; what it's given lives until the task that it returns has ended.
class UnaryInvoker {
 public:
  virtual Task<Status> operator()(Context context, std::string_view method, ConstMessage request, Message response,
                                  CallOptions options) = 0;

 protected:
  ~UnaryInvoker() = default;
};

// Stands before every unary call of a client: once per call, above retries and hedges.
//
// Awaits, changes or replaces what passes in both directions, and calls `next` any number of times or
// not at all. `options` are the connection's defaults with what the call wants changed; metadata of
// the defaults is added below, behind `next`; hooks stand outside and aren't seen here, those that are
// put into options for `next` run there. `conn` is what lies below all interceptors: calls made on it
// meet none of them, but the connection's hooks, as calls of their own. What it awaits ends with the call's context.
// An exception ends its part of the call with INTERNAL: that is what interceptors around it, hooks and caller hear.
// Threads: the caller's; one object may serve calls on several at once. Outlives the connection.
//
//   Task<Status> intercept(Context context, std::string_view method, ConstMessage request, Message response,
//                          CallOptions options, ClientConnInterface&, UnaryInvoker& next) override {
//     Status status = co_await next(std::move(context), method, request, response, options);
//     count(method, status);
//     co_return status;
//   }
class UnaryClientInterceptor {
 public:
  virtual ~UnaryClientInterceptor() = default;
  virtual Task<Status> intercept(Context context, std::string_view method, ConstMessage request, Message response,
                                 CallOptions options, ClientConnInterface& conn, UnaryInvoker& next) = 0;
};

// The rest of opening a stream; the same rules as for UnaryInvoker.
class Streamer {
 public:
  virtual Task<Result<std::unique_ptr<ClientStream>>> operator()(Context context, const StreamDesc& desc,
                                                                 std::string_view method, CallOptions options) = 0;

 protected:
  ~Streamer() = default;
};

// Stands before every stream of a client, when it's opened; to see what happens on it later, return a
// ClientStreamWrapper around what `next` gives. The rules of UnaryClientInterceptor hold; null instead of
// a stream is INTERNAL, too. What changed
// options point to (metadata) must live as long as the stream does: the wrapper is the place for it.
class StreamClientInterceptor {
 public:
  virtual ~StreamClientInterceptor() = default;
  virtual Task<Result<std::unique_ptr<ClientStream>>> intercept(Context context, const StreamDesc& desc,
                                                                std::string_view method, CallOptions options,
                                                                ClientConnInterface& conn, Streamer& next) = 0;
};

// Passes everything on to the stream that it owns. Interceptors derive from it and override what they
// want to see or change. What send() or recv() throws comes out where that is awaited; if the call has
// hooks, it's INTERNAL instead, and ends the call for them.
class ClientStreamWrapper : public ClientStream {
 public:
  explicit ClientStreamWrapper(std::unique_ptr<ClientStream> wrapped) noexcept : wrapped_(std::move(wrapped)) {}

  Task<Result<const Metadata*>> header() override { return wrapped_->header(); }
  const Metadata& trailer() const noexcept override { return wrapped_->trailer(); }
  using ClientStream::send;
  Task<Result<bool>> send(ConstMessage message, SendOptions options) override {
    return wrapped_->send(message, options);
  }
  Task<Status> close_send() override { return wrapped_->close_send(); }
  Task<Result<bool>> recv(Message message) override { return wrapped_->recv(message); }
  void cancel() noexcept override { wrapped_->cancel(); }
  Loop& loop() noexcept override { return wrapped_->loop(); }

 protected:
  ClientStream& wrapped() noexcept { return *wrapped_; }
  // Destroys it, which cancels its call; only at this object's own end.
  void destroy_wrapped() noexcept { wrapped_.reset(); }

 private:
  std::unique_ptr<ClientStream> wrapped_;
};

// In order: the first is outermost, and sees the call first and its end last.
struct ClientInterceptors {
  std::vector<UnaryClientInterceptor*> unary = {};
  std::vector<StreamClientInterceptor*> stream = {};
};

// A connection that sends its calls through interceptors and on to `conn`, whatever that is; a
// ClientConn has a list of its own in ClientConnOptions. The finish hooks of calls run outside of the
// interceptors. `conn` outlives it and its calls.
std::unique_ptr<ClientConnInterface> intercept(ClientConnInterface& conn, ClientInterceptors interceptors);

}  // namespace gaggle
