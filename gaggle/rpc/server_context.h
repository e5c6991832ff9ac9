// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "gaggle/base/context.h"
#include "gaggle/base/status.h"
#include "gaggle/rpc/metadata.h"

namespace gaggle {

class Loop;
class StatsHandler;
struct Peer;
struct ServiceDesc;

// The context of one incoming call: its deadline and cancellation, and what came with it.
//
// It *is* a Context: pass it to outgoing calls and they end with this one. It ends when the client
// cancels, the deadline passes, the connection is lost or the server stops. Valid until the handler
// has ended; used on the call's loop only.
class ServerContext : public Context {
 public:
  // "/package.Service/Method".
  virtual std::string_view method() const noexcept = 0;
  // The client's custom metadata, with `user-agent` and `:authority`; "-bin" values decoded.
  virtual const Metadata& metadata() = 0;
  virtual const Peer& peer() = 0;
  // The subtype of the call's content-type, as the client wrote it: "json", say; empty for none, which
  // is protobuf. The answer has the same.
  virtual std::string_view content_subtype() const noexcept { return {}; }
  // The loop this call lives on: start timers and I/O of the handler here.
  virtual Loop& loop() noexcept = 0;
  // Everything that is registered with the server of this call, in that order; for services that tell
  // of the others, such as reflection. A context that wraps another one passes it on.
  virtual std::span<const ServiceDesc* const> services() const noexcept { return {}; }

  // What `handler`, one of ServerOptions::stats_handlers, has hung on this call; null for any other. A
  // context that wraps another one passes it on.
  virtual void* stats_tag(const StatsHandler& handler) const noexcept {
    static_cast<void>(handler);
    return nullptr;
  }

  // Adds to the header metadata, which leaves with the first message, the status, or send_header.
  // FAILED_PRECONDITION when it has left; INVALID_ARGUMENT for what can't travel.
  virtual Status set_header(std::string_view key, std::string_view value) = 0;
  virtual Status send_header() = 0;

  // Compresses the answer's messages, if that makes them smaller: "gzip", "deflate", "zstd", whatever
  // ServerOptions::compressors has, or "identity": not at all. Before the header metadata leaves:
  // FAILED_PRECONDITION after. INVALID_ARGUMENT for an unknown name; FAILED_PRECONDITION, too, when the
  // client doesn't accept it: the answer then travels as before the call, and is none the worse for it.
  virtual Status set_compressor(std::string_view name) = 0;
  // Whether the latest message that was received came compressed.
  virtual bool received_compressed() const noexcept = 0;

  // Adds to the trailer metadata, which leaves with the status.
  virtual Status set_trailer(std::string_view key, std::string_view value) = 0;

 protected:
  ServerContext() = default;
  explicit ServerContext(const Context& context) : Context(context) {}
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;
  ~ServerContext() = default;
};

}  // namespace gaggle
