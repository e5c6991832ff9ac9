// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/net/task.h"
#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/message.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/send_options.h"

namespace gaggle {

class Loop;
struct StreamDesc;

// The untyped client side of one call; generated code wraps it in types.
//
// Threads: one sender and one receiver may run at the same time; a second concurrent send, a second
// concurrent recv, or close_send during a send is refused with FAILED_PRECONDITION without harm.
// Operations may be awaited on any loop's thread.
// Lifetime: destroying a stream whose call isn't over cancels the call.
class ClientStream {
 public:
  virtual ~ClientStream() = default;

  // Waits until the server's header metadata has arrived, or the call has ended without any: then
  // its status, or empty metadata if that is OK. The view lives as long as the stream.
  virtual Task<Result<const Metadata*>> header() = 0;
  // The trailer metadata: complete when recv has given the end or an error, empty before.
  virtual const Metadata& trailer() const noexcept = 0;

  // Encodes and queues `message`, which may be changed as soon as send returns; waits for flow
  // control. True: queued. False: the call is over; recv has the status. An error: the message
  // can't be encoded (INTERNAL) or is too large (RESOURCE_EXHAUSTED): nothing of it was sent and
  // the call has ended with that status. On a call whose client doesn't stream, send half-closes.
  // Sent doesn't mean received: only recv to the end proves that.
  virtual Task<Result<bool>> send(ConstMessage message, SendOptions options) = 0;
  Task<Result<bool>> send(ConstMessage message) { return send(message, SendOptions{}); }
  // Nothing more will be sent. OK also when the call is over already.
  virtual Task<Status> close_send() = 0;

  // Reads the next message: true. False: the call ended with OK. An error: its status. After the
  // end, recv gives the same end again. On a call whose server doesn't stream, the first recv also
  // waits for the status: the message is given only when that is OK; no message or a second one is
  // INTERNAL.
  virtual Task<Result<bool>> recv(Message message) = 0;

  // Ends the call now: the server sees a cancellation, pending operations end with CANCELLED.
  // From any thread.
  virtual void cancel() noexcept = 0;

  virtual Loop& loop() noexcept = 0;  // where the call lives
};

// What generated clients call through: a ClientConn, an in-process connection, a user's wrapper.
//
// Thread-safe. Both operations may be awaited on any loop's thread and resume there.
class ClientConnInterface {
 public:
  virtual ~ClientConnInterface() = default;

  // One unary call: sends `request`, fills `response`. `method` is "/package.Service/Method" and
  // must outlive the call (a literal), as must `request` and `response`. `response` is meaningful
  // only when the status is OK.
  virtual Task<Status> invoke(Context context, std::string_view method, ConstMessage request, Message response,
                              CallOptions options) = 0;

  // Opens a call of any shape. Ready when the call has a connection to go to.
  virtual Task<Result<std::unique_ptr<ClientStream>>> new_stream(Context context, const StreamDesc& desc,
                                                                 std::string_view method, CallOptions options) = 0;

  // A loop for completions of callers that have none of their own.
  virtual Loop& loop() noexcept = 0;
};

}  // namespace gaggle
