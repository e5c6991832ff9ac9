// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/readiness.h"

#include "gaggle/net/event.h"

namespace gaggle {
namespace {

class SetEvent final : public Waiter {
 public:
  explicit SetEvent(AsyncEvent& event) : event_(event) {}
  void on_ready() noexcept override { event_.set(); }

 private:
  AsyncEvent& event_;
};

Task<Status> until_ready(ByteStream& stream, void (ByteStream::*wait)(Waiter&)) {
  AsyncEvent ready(stream.loop());
  SetEvent waiter(ready);
  (stream.*wait)(waiter);
  Status waited = co_await ready.wait();
  // Not otherwise: somebody else may be waiting for the other direction.
  if (!waited) stream.cancel_waits();
  co_return waited;
}

}  // namespace

Task<Status> until_readable(ByteStream& stream) { return until_ready(stream, &ByteStream::wait_readable); }
Task<Status> until_writable(ByteStream& stream) { return until_ready(stream, &ByteStream::wait_writable); }

}  // namespace gaggle
