// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "gaggle/base/status.h"
#include "gaggle/net/address.h"
#include "gaggle/net/loop_work.h"

namespace gaggle {

class Loop;
struct StreamSecurity;

// What one read or write did.
struct IoResult {
  enum class Kind : uint8_t {
    kDone,        // `bytes` were read or written, at least one (a write of nothing: zero)
    kWouldBlock,  // nothing now: wait_readable or wait_writable
    kEof,         // reads only: the peer sends no more
    kError,       // `error` says what; the stream is only good for close() now
  };
  Kind kind = Kind::kDone;
  size_t bytes = 0;
  Status error;

  static IoResult done(size_t bytes) { return {Kind::kDone, bytes, {}}; }
  static IoResult would_block() { return {Kind::kWouldBlock, 0, {}}; }
  static IoResult eof() { return {Kind::kEof, 0, {}}; }
  static IoResult failed(Status error) { return {Kind::kError, 0, std::move(error)}; }

  bool is_done() const noexcept { return kind == Kind::kDone; }
};

// Told once, on the stream's loop, that a stream is worth another try. Never from inside the call
// that began the wait.
class Waiter {
 public:
  virtual void on_ready() noexcept = 0;

 protected:
  ~Waiter() = default;
};

// A waiter that calls a member function of its owner: `WaiterOf<&Connection::read> readable_{*this};`
template <auto kMethod>
class WaiterOf final : public Waiter {
 public:
  explicit WaiterOf(MethodOwnerOf<kMethod>& owner) noexcept : owner_(owner) {}
  void on_ready() noexcept override { (owner_.*kMethod)(); }

 private:
  MethodOwnerOf<kMethod>& owner_;
};

// A connected stream of bytes that never blocks: the seam between the transport and the operating
// system. Sockets are one kind (socket_stream.h), pipes in memory another (byte_stream_testing.h).
//
// Belongs to one loop and its thread. Errors are UNAVAILABLE, with the system's words in the message.
class ByteStream {
 public:
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  // Closes. A waiter is not called any more.
  virtual ~ByteStream() = default;

  virtual Loop& loop() const noexcept = 0;

  // Up to buffer.size() bytes, of what has arrived. `buffer` isn't empty.
  virtual IoResult read(std::span<uint8_t> buffer) = 0;
  // As much of the pieces, in order, as the stream takes now; more than 1,024 pieces or a full
  // buffer cut it short. A peer that is gone is an error, never a signal.
  virtual IoResult write(std::span<const iovec> pieces) = 0;

  // Calls `waiter` once when reading gives something else than kWouldBlock, end and errors included.
  // One waiter for reading and one for writing at a time; the waiter outlives the wait.
  virtual void wait_readable(Waiter& waiter) = 0;
  virtual void wait_writable(Waiter& waiter) = 0;
  // Forgets both waiters; they are not called any more.
  virtual void cancel_waits() noexcept = 0;

  // The peer reads the end after what was written. Reading goes on.
  virtual void shutdown_write() noexcept = 0;
  // Ends both directions at once and frees the descriptor. Safe to repeat; reads and writes give
  // errors afterwards.
  virtual void close() noexcept = 0;

  virtual const Address& peer_address() const noexcept = 0;
  virtual const Address& local_address() const noexcept = 0;
  // How the bytes are protected (stream_security.h); null for a plain stream.
  virtual std::shared_ptr<const StreamSecurity> security() const noexcept { return nullptr; }
};

}  // namespace gaggle
