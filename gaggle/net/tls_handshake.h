// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/net/byte_stream.h"
#include "gaggle/net/task.h"
#include "gaggle/net/tls_context.h"

namespace gaggle {

class TurnGate;

// Speaks TLS as a client over a stream that has just been connected, and gives back what to read and
// write on. The server has to prove `server_name`. Awaited on the stream's loop.
//
// UNAVAILABLE says why the handshake failed; when `context` ends first, its status. The stream is
// closed then.
Task<Result<std::unique_ptr<ByteStream>>> tls_connect(std::unique_ptr<ByteStream> lower,
                                                      std::shared_ptr<const TlsContext> tls, std::string server_name,
                                                      Context context);

// The same as a server. Each step that computes passes `gate` first. A peer that is refused gets some
// time to read why: that, too, ends with `context`.
Task<Result<std::unique_ptr<ByteStream>>> tls_accept(std::unique_ptr<ByteStream> lower,
                                                     std::shared_ptr<const TlsContext> tls, TurnGate& gate,
                                                     Context context);

}  // namespace gaggle
