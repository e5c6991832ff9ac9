// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/base/ref.h"
#include "gaggle/base/status.h"
#include "gaggle/net/byte_stream.h"
#include "gaggle/net/file_descriptor.h"

namespace gaggle {

class Loop;

// Owns a descriptor and tells when it is ready to be read or written, by Asio's reactor. One loop's
// thread only. Waiting to read allocates nothing: the operation's memory lies here. Waiting to write is
// for when a socket is full; its memory is what Asio keeps for the thread.
class FdWatch {
 public:
  explicit FdWatch(Loop& loop);
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  ~FdWatch();  // closes

  // Takes the descriptor; UNAVAILABLE when the system can't watch it, and it's closed.
  Status open(FileDescriptor descriptor);
  int get() const noexcept;  // -1 when closed
  Loop& loop() const noexcept;

  // As ByteStream's.
  void wait_readable(Waiter& waiter);
  void wait_writable(Waiter& waiter);
  void cancel_waits() noexcept;
  void close() noexcept;

 private:
  struct State;
  struct ReadHandler;
  struct WriteHandler;

  Ref<State> state_;
};

}  // namespace gaggle
