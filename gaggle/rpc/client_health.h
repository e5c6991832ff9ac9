// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gaggle/base/bytes.h"
#include "gaggle/base/context.h"
#include "gaggle/base/ref.h"
#include "gaggle/base/status.h"
#include "gaggle/net/task.h"

namespace gaggle {

class ClientChannel;
class ClientSubConn;

// Asks the server behind one SubConn, by a call of grpc.health.v1.Health/Watch, whether a service
// serves, and tells the SubConn (gRFC A17).
//
// A server without that method is taken for healthy, with a line in the log; another failure is
// TRANSIENT_FAILURE until the next answer. Asked again with the channel's backoff, which an answer
// resets: then after its first wait at most. Ends by itself when the connection is lost. Lives until its
// call has ended; the reference keeps the SubConn right until then. One loop's thread.
class ClientHealthWatch final : TaskCompletion<Status> {
 public:
  ClientHealthWatch(ClientSubConn& subconn, ClientChannel& channel, std::string service);
  ~ClientHealthWatch() override;

  void begin();
  // Tells nothing more. The last use of this object.
  void leave() noexcept;

 private:
  Task<Status> run();
  Task<Status> ask();
  void tell(const Bytes& answer);
  void tell_failure(const Status& why);

  void on_done(Status&&) noexcept override { end(); }
  void on_exception(std::exception_ptr) noexcept override { end(); }
  void end() noexcept;

  const Ref<ClientSubConn> subconn_;
  const Ref<ClientChannel> channel_;
  const std::string service_;
  CancelSource source_;
  bool wanted_ = true;
  bool answered_ = false;  // in this call
};

}  // namespace gaggle
