// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>

#include "gaggle/base/result.h"
#include "gaggle/net/task.h"
#include "gaggle/rpc/message.h"
#include "gaggle/rpc/send_options.h"
#include "gaggle/rpc/server_context.h"

namespace gaggle {

// The untyped stream that a streaming handler works on; generated code wraps it in types.
//
// One sender and one receiver may run at the same time, on the call's loop; a second send while
// one is under way, or a second recv, is refused with FAILED_PRECONDITION and harms nothing.
class ServerStream {
 public:
  virtual ServerContext& context() noexcept = 0;

  // Reads the next message into `message`: true. False: the client has sent its last. An error:
  // the call is over (CANCELLED, DEADLINE_EXCEEDED) or what arrived can't be decoded (INTERNAL),
  // is too large (RESOURCE_EXHAUSTED).
  virtual Task<Result<bool>> recv(Message message) = 0;

  // Encodes and queues `message` at once, not only when the task is awaited, so that the message may
  // be changed as soon as send returns; awaiting waits while flow control is exhausted. Sent doesn't mean received. A
  // message that can't be encoded (INTERNAL) or is too large (RESOURCE_EXHAUSTED) sends nothing, and the call ends with
  // that status; on a call that is over: its status (CANCELLED, DEADLINE_EXCEEDED).
  virtual Task<Status> send(ConstMessage message, SendOptions options) = 0;
  Task<Status> send(ConstMessage message) { return send(message, SendOptions{}); }

  // A typed view of this stream, for generated code. It lives in here, as long as the stream, so that a
  // handler that gets one needs no frame around its own to keep it. One at a time.
  template <class Typed>
  Typed& view() noexcept {
    static_assert(sizeof(Typed) <= sizeof(view_) && std::is_trivially_destructible_v<Typed>);
    return *::new (static_cast<void*>(view_)) Typed(*this);
  }

 protected:
  ~ServerStream() = default;

 private:
  alignas(void*) std::byte view_[sizeof(void*)];
};

// Passes everything on to another stream. Interceptors derive from it and override what they want
// to see or change. Lives in the interceptor's frame, as long as the handler behind it runs.
class ServerStreamWrapper : public ServerStream {
 public:
  explicit ServerStreamWrapper(ServerStream& wrapped) noexcept : wrapped_(wrapped) {}

  ServerContext& context() noexcept override { return wrapped_.context(); }
  Task<Result<bool>> recv(Message message) override { return wrapped_.recv(message); }
  using ServerStream::send;
  Task<Status> send(ConstMessage message, SendOptions options) override { return wrapped_.send(message, options); }

 protected:
  ~ServerStreamWrapper() = default;
  ServerStream& wrapped() noexcept { return wrapped_; }

 private:
  ServerStream& wrapped_;
};

}  // namespace gaggle
