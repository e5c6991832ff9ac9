// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/net/byte_stream.h"
#include "gaggle/net/stream_security.h"
#include "gaggle/net/task.h"

namespace gaggle {

// How a client's connections are secured, and whom they accept as the server.
//
// insecure_credentials() is one kind, TLS (tls.h) another. One object serves any number of
// ClientConns at once and outlives them: its functions may be called from any thread. An exception or
// null counts as an error. grpc++ and grpc-go call it ChannelCredentials and TransportCredentials.
class ChannelCredentials {
 public:
  virtual ~ChannelCredentials() = default;

  // What every connection made with these guarantees. Per-RPC credentials are refused below
  // kPrivacyAndIntegrity, unless they say that they don't need it.
  virtual SecurityLevel security_level() const noexcept = 0;
  // What calls say in `:scheme`.
  virtual std::string_view scheme() const noexcept = 0;
  // The name that servers have to prove instead of the connection's authority; it's also the default
  // authority of calls. Empty: none.
  virtual std::string_view server_name() const noexcept { return {}; }
  // False: handshake() is never called, and connecting costs nothing more.
  virtual bool has_handshake() const noexcept { return true; }

  // Secures a stream that has just been connected, and gives back the stream to speak HTTP/2 on.
  // Awaited on the stream's loop; ends early with `context`. `authority` is the host, or host and
  // port, that the server has to prove. Errors are UNAVAILABLE and say what the server did wrong.
  virtual Task<Result<std::unique_ptr<ByteStream>>> handshake(std::unique_ptr<ByteStream> stream, std::string authority,
                                                              Context context) const = 0;

  // Whether the server of a connection may be called by another name than the connection's:
  // CallOptions::authority, a host, or host and port. `security` is the stream's (null: it isn't
  // secured). OK, or UNAVAILABLE, which such calls end with. Any server is anybody unless connections
  // are secured; credentials that secure them say here whom a server has proven to be, since otherwise
  // no call may have an authority of its own.
  virtual Status check_authority(const StreamSecurity* security, std::string_view authority) const;
};

// Plain bytes that anybody on the way may read and change: for loopback, unix sockets, and networks
// that are protected by other means. Has no state; lives as long as the program.
const ChannelCredentials* insecure_credentials() noexcept;

}  // namespace gaggle
