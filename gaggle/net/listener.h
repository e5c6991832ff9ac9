// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "gaggle/base/log.h"
#include "gaggle/base/result.h"
#include "gaggle/net/address.h"
#include "gaggle/net/file_descriptor.h"

namespace gaggle {

class Loop;

// Trivially destructible, as all options are.
struct ListenerOptions {
  // Connections that wait in the kernel to be accepted; the system cuts it (net.core.somaxconn).
  int backlog = 4096;
  // Lets several processes listen on one port. Off: it lets a second process steal the port, and the
  // kernel spreads unevenly.
  bool reuse_port = false;
  Log log;
};

// Readable from any thread.
struct ListenerStats {
  uint64_t accepted = 0;
  uint64_t out_of_descriptors = 0;  // pauses since the process or the machine ran out of something
  uint64_t errors = 0;              // connections that failed before they were accepted
};

// A connection that was just accepted; whoever gets it owns it, on whichever loop it likes:
// make_socket_stream(loop, std::move(accepted.socket)).
struct AcceptedSocket {
  FileDescriptor socket;  // non-blocking
};

// Accepts connections on one loop and hands each to a callback there.
//
// When the process runs out of descriptors (EMFILE, ENFILE, ENOBUFS, ENOMEM), accepting pauses for
// 10 ms at first, then twice as long each time up to a second, instead of spinning.
//
// Loop's thread only, stats() excepted. open() may also be called while the loop isn't running yet.
class Listener {
 public:
  using OnAccept = std::move_only_function<void(AcceptedSocket)>;

  // TCP or unix. A host name isn't resolved: INVALID_ARGUMENT. An address in use is
  // FAILED_PRECONDITION and names it; everything else that the system refuses is UNAVAILABLE.
  // The socket file of a unix path is removed first if nobody listens on it, and at close().
  // SO_REUSEADDR is set for TCP.
  static Result<std::unique_ptr<Listener>> open(Loop& loop, const Address& address, OnAccept on_accept,
                                                const ListenerOptions& options = {});
  virtual ~Listener() = default;  // closes

  // Where it listens, with the real port.
  virtual const Address& address() const noexcept = 0;
  uint16_t port() const noexcept { return address().port; }
  // Stops at once; the port is free when this returns. Connections that nobody accepted are reset.
  virtual void close() noexcept = 0;
  virtual ListenerStats stats() const noexcept = 0;

 protected:
  Listener() = default;
};

}  // namespace gaggle
