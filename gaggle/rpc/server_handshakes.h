// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gaggle/net/byte_stream.h"
#include "gaggle/net/turn_gate.h"

namespace gaggle {

class ServerCredentials;
class ServerLoop;

// The connections of a server's part on one loop that are still being secured.
//
// So many steps of handshakes run per turn of the loop, since each may take a millisecond of a key's
// arithmetic: connections that are established are served in between. Each has the server's time for a
// new connection. Loop's thread only, but for the counters.
class ServerHandshakes {
 public:
  // With RSA keys of 2048 bits, about 3 ms per turn.
  static constexpr size_t kStepsPerTurn = 4;

  explicit ServerHandshakes(ServerLoop& part);
  ServerHandshakes(const ServerHandshakes&) = delete;
  ServerHandshakes& operator=(const ServerHandshakes&) = delete;
  ~ServerHandshakes();

  // ServerLoop::handshake_ended follows, maybe before this returns.
  void begin(std::unique_ptr<ByteStream> stream, const ServerCredentials& credentials);
  void cancel_all();
  bool empty() const noexcept { return running_.empty(); }

  // Any thread.
  uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }
  uint64_t delayed() const noexcept { return delayed_.load(std::memory_order_relaxed); }

 private:
  class Handshake;

  ServerLoop& part_;
  TurnGate gate_;
  std::vector<Handshake*> running_;  // each knows its place
  std::atomic<uint64_t> failed_{0};
  std::atomic<uint64_t> delayed_{0};
};

}  // namespace gaggle
