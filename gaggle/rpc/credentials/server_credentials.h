// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/net/byte_stream.h"
#include "gaggle/net/task.h"

namespace gaggle {

class TurnGate;

// How a server secures the connections of one listening address. TlsServerCredentials (tls.h) is one
// kind; plain connections need none.
//
// One object may serve any number of addresses, and outlives the server: its functions are called on
// the server's loops, several at once. An exception or null costs the connection, as an error does.
class ServerCredentials {
 public:
  virtual ~ServerCredentials() = default;

  // Secures a stream that has just been accepted. Awaited on the stream's loop; passes `gate` before
  // each step that takes its time; ends early with `context`. Errors are UNAVAILABLE and say what the
  // client did wrong.
  virtual Task<Result<std::unique_ptr<ByteStream>>> handshake(std::unique_ptr<ByteStream> stream, TurnGate& gate,
                                                              Context context) const = 0;
};

}  // namespace gaggle
