// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "gaggle/net/block_on.h"
#include "gaggle/net/spawn.h"
#include "gaggle/rpc/client_conn_interface.h"
#include "gaggle/rpc/server_stream.h"

namespace gaggle {

// The typed streams of generated code. Each is a thin view of ClientStream or ServerStream; what
// the untyped operation promises (threads, errors, when a message may be changed) holds here too.

// recv() of both forms: into a message of the caller's (true: filled, false: the end), or by value
// (nullopt: the end).
template <class Stream, class In>
Task<Result<std::optional<In>>> receive_value(Stream& stream) {
  std::optional<In> message{std::in_place};
  Result<bool> more = co_await stream.recv(message_of(*message));
  if (!more) co_return std::move(more).error();
  if (!*more) message.reset();
  co_return message;
}

// What every typed client stream has.
//
// Each operation has the three forms of a call: awaited, `async_…` with an Asio completion token,
// whose handler gets what the awaited form gives, and `blocking_…` for threads without a loop
// (FAILED_PRECONDITION on a loop's thread). What an operation refers to lives until it has completed.
// A token's cancellation slot isn't looked at: one operation can't be taken back, cancel() ends the
// call.
class ClientStreamBase {
 public:
  explicit ClientStreamBase(std::unique_ptr<ClientStream> stream) : stream_(std::move(stream)) {}
  Task<Result<const Metadata*>> header() { return stream_->header(); }
  template <class Token>
  auto async_header(Token&& token) {
    return async(header(), std::forward<Token>(token));
  }
  Result<const Metadata*> blocking_header() { return blocking(header()); }
  const Metadata& trailer() const noexcept { return stream_->trailer(); }
  void cancel() noexcept { stream_->cancel(); }
  ClientStream& untyped() noexcept { return *stream_; }

 protected:
  template <class T, class Token>
  auto async(Task<T> operation, Token&& token) {
    return spawn(stream_->loop(), std::move(operation), std::forward<Token>(token));
  }
  template <class T>
  T blocking(Task<T> operation) {
    return block_on(stream_->loop(), std::move(operation));
  }

  std::unique_ptr<ClientStream> stream_;
};

template <class Response>
class ServerStreamingClient : public ClientStreamBase {
 public:
  using ClientStreamBase::ClientStreamBase;
  Task<Result<bool>> recv(Response& response) { return stream_->recv(message_of(response)); }
  Task<Result<std::optional<Response>>> recv() { return receive_value<ClientStream, Response>(*stream_); }
  template <class Token>
  auto async_recv(Response& response, Token&& token) {
    return async(recv(response), std::forward<Token>(token));
  }
  Result<bool> blocking_recv(Response& response) { return blocking(recv(response)); }
};

template <class Request, class Response>
class ClientStreamingClient : public ClientStreamBase {
 public:
  using ClientStreamBase::ClientStreamBase;
  Task<Result<bool>> send(const Request& request, SendOptions options = {}) {
    return stream_->send(message_of(request), options);
  }
  template <class Token>
  auto async_send(const Request& request, Token&& token) {
    return async(send(request), std::forward<Token>(token));
  }
  Result<bool> blocking_send(const Request& request) { return blocking(send(request)); }

  // Half-closes, then waits for the response and the status.
  Task<Status> close_and_recv(Response& response) {
    Status closed = co_await stream_->close_send();
    if (!closed) co_return closed;
    Result<bool> received = co_await stream_->recv(message_of(response));
    co_return received.status();
  }
  template <class Token>
  auto async_close_and_recv(Response& response, Token&& token) {
    return async(close_and_recv(response), std::forward<Token>(token));
  }
  Status blocking_close_and_recv(Response& response) { return blocking(close_and_recv(response)); }
};

template <class Request, class Response>
class BidiStreamingClient : public ServerStreamingClient<Response> {
 public:
  using ServerStreamingClient<Response>::ServerStreamingClient;
  Task<Result<bool>> send(const Request& request, SendOptions options = {}) {
    return this->stream_->send(message_of(request), options);
  }
  template <class Token>
  auto async_send(const Request& request, Token&& token) {
    return this->async(send(request), std::forward<Token>(token));
  }
  Result<bool> blocking_send(const Request& request) { return this->blocking(send(request)); }

  Task<Status> close_send() { return this->stream_->close_send(); }
  template <class Token>
  auto async_close_send(Token&& token) {
    return this->async(close_send(), std::forward<Token>(token));
  }
  Status blocking_close_send() { return this->blocking(close_send()); }
};

// What a server-streaming method sends with. send() acts at once, also when its task is dropped.
template <class Response>
class ServerStreamingServer {
 public:
  explicit ServerStreamingServer(ServerStream& stream) : stream_(&stream) {}
  Task<Status> send(const Response& response, SendOptions options = {}) {
    return stream_->send(message_of(response), options);
  }

 private:
  ServerStream* stream_;
};

// What a client-streaming method reads from.
template <class Request>
class ClientStreamingServer {
 public:
  explicit ClientStreamingServer(ServerStream& stream) : stream_(&stream) {}
  Task<Result<bool>> recv(Request& request) { return stream_->recv(message_of(request)); }
  Task<Result<std::optional<Request>>> recv() { return receive_value<ServerStream, Request>(*stream_); }

 private:
  ServerStream* stream_;
};

template <class Request, class Response>
class BidiStreamingServer {
 public:
  explicit BidiStreamingServer(ServerStream& stream) : stream_(&stream) {}
  Task<Status> send(const Response& response, SendOptions options = {}) {
    return stream_->send(message_of(response), options);
  }
  Task<Result<bool>> recv(Request& request) { return stream_->recv(message_of(request)); }
  Task<Result<std::optional<Request>>> recv() { return receive_value<ServerStream, Request>(*stream_); }

 private:
  ServerStream* stream_;
};

}  // namespace gaggle
