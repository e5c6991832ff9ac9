// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gaggle/base/clock.h"
#include "gaggle/base/status.h"

namespace gaggle {

class Metadata;
struct Peer;
namespace http2 {
class HeaderBlock;
}

// What a StatsHandler is told. Everything that an event points to is valid during the event only,
// unless it says otherwise.
namespace stats {

enum class Side : uint8_t { kClient, kServer };

// What a handler hangs on a call or a connection: it comes back with every event of it. The runtime
// never looks at it. What it points to is the handler's: made (or found) at the beginning, freed at
// the end.
using Tag = void*;

struct ConnectionBegin {
  Side side;
  TimePoint time;
  const Peer& peer;  // valid until the connection's end
};

struct ConnectionEnd {
  Side side;
  TimePoint began;
  TimePoint time;     // when it closed; a server's is told after the last handler on it has ended
  const Status& why;  // never OK
};

struct CallBegin {
  Side side;
  TimePoint time;
  // "/package.Service/Method". A server's call that is refused may have any text here, or none.
  std::string_view method;  // valid until the call's end
  // A server knows the method; a client's caller says so (CallOptions). Only then is the name one of a few, and
  // fit to count by: the others are chosen by strangers.
  bool static_method;
  bool client_streams;
  bool server_streams;
  TimePoint deadline;  // kNever: none. A service config may bring it forward later

  // Client: one attempt at a call.
  bool wait_for_ready;         // as the options say; a service config that isn't known yet may say otherwise
  uint32_t previous_attempts;  // 0: the first. Transparent retries don't count (gRFC A6)
  bool transparent_retry;      // a server never saw the attempt before, and this one stands in for it
  bool hedge;                  // another attempt is under way, or was

  // Client: what is added here goes out with this attempt, after all other metadata: the mark of a trace, for
  // instance. Valid during the event only. What can't travel ends the call with INTERNAL (Metadata::check).
  // Null on a server.
  Metadata* metadata = nullptr;

  Tag connection;  // server: the handler's own, of the call's connection
};

// Client: the picker has chosen a connection for an attempt that it had made to wait.
struct DelayedPick {
  TimePoint time;
  bool for_resolver;  // there was no picker at all: the resolver had yet to answer
};

// Metadata as it came, decoded by whoever asks.
class ReceivedMetadata {
 public:
  ReceivedMetadata(const http2::HeaderBlock& block, Side side) noexcept : block_(block), side_(side) {}
  // The first field of that name (lower case); "-bin" values are still base64. Allocates nothing.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  // Adds what the application will see. Allocates.
  void read(Metadata& into) const;

 private:
  const http2::HeaderBlock& block_;
  Side side_;
};

struct Header {
  TimePoint time;
  std::string_view compression;      // grpc-encoding; empty: none
  const Peer& peer;                  // valid until the connection's end
  const ReceivedMetadata* metadata;  // null when it was sent
  Tag connection;                    // the handler's own, of the call's connection
};

struct Payload {
  TimePoint time;
  size_t bytes;             // of the message, encoded and not compressed
  size_t compressed_bytes;  // as it travels: `bytes` when it isn't compressed
  size_t wire_bytes;        // with gRPC's prefix, without HTTP/2's frames
  bool compressed;
};

struct Trailer {
  TimePoint time;
  bool only;                         // the whole answer: there was no header
  const ReceivedMetadata* metadata;  // null when it was sent
};

struct CallEnd {
  TimePoint began;
  TimePoint time;
  const Status& status;
};

}  // namespace stats

// Watches the connections and calls of a client or a server: what is counted, traced and exported
// is made of this. grpc-go: stats.Handler.
//
// On a client a "call" here is one attempt: a call that is retried or hedged is several, one after
// the other or at once, each with a beginning, an end and a tag of its own; so is one that is sent
// again because a server never saw it (transparent_retry). A call that ends before anything was tried
// (its deadline had passed, a hook refused it) has no attempt: see FinishHook. Calls that the runtime
// makes for itself (health checks) aren't told.
//
// Order, on a client: begin; delayed pick, at most once; header sent; then messages sent, and
// beside them header received, messages received; trailer received; end. The status of an attempt
// that lost against another one is CANCELLED. On a server: begin; header received; messages
// received; header sent, messages sent; trailer sent; end, when the handler has ended, too. A call that
// is refused (unknown method, malformed, no memory, the tap) has begin, header received, trailer sent
// unless it was merely reset, and end.
//
// Begin comes first, exactly once, and end last, exactly once, on every path: deadline, cancellation,
// reset, a lost connection, the loop's own end. What is in between comes if it happens: a call that
// is reset has no trailer, one that never got a connection no header. "Sent" is: given to the
// connection, which may hold it back for flow control. "Received" is, for headers and trailers, when
// they arrive; for messages, when they are decoded for whoever receives, so that messages which
// nobody receives aren't told, and those of a client's stream may follow the trailer. The end then waits
// for them, or for the stream's destruction; its time is that of the trailer.
//
// A connection begins when it's made and secured, and ends, exactly once, after the end of every
// call on it, so that its tag is good in every event that has one; only a client's call whose end waits for
// messages to be received may end later. Connections that fail before, in
// their handshake, aren't told.
//
// Threads: the connection's loop: one for a ClientConn, all of a server's in parallel. A handler that
// is given to several connections or to a server synchronises what its calls share. It is shared, too,
// in ownership: whoever uses it keeps it until the last event. Events come while input is parsed: handlers
// must be quick, never block, and neither begin nor end calls and connections.
// Cost: without a handler a null check for each event; with some, for each event a virtual call per
// handler and a reading of the clock, some 25 ns. Nothing is allocated but for the first calls.
// Exceptions are ignored: neither the call nor the other handlers notice, and a tag that didn't come is null.
//
//   class Errors final : public StatsHandler {
//     void on_call_end(stats::Tag, const stats::CallEnd& end) override {
//       if (!end.status) ++errors;
//     }
//   };
//   ClientConnOptions options{.stats_handlers = {std::make_shared<Errors>()}};
class StatsHandler {
 public:
  virtual ~StatsHandler() = default;

  virtual stats::Tag on_connection_begin(const stats::ConnectionBegin&) { return nullptr; }
  virtual void on_connection_end(stats::Tag, const stats::ConnectionEnd&) {}

  virtual stats::Tag on_call_begin(const stats::CallBegin&) { return nullptr; }
  virtual void on_delayed_pick(stats::Tag, const stats::DelayedPick&) {}
  virtual void on_header_sent(stats::Tag, const stats::Header&) {}
  virtual void on_header_received(stats::Tag, const stats::Header&) {}
  virtual void on_message_sent(stats::Tag, const stats::Payload&) {}
  virtual void on_message_received(stats::Tag, const stats::Payload&) {}
  virtual void on_trailer_sent(stats::Tag, const stats::Trailer&) {}
  virtual void on_trailer_received(stats::Tag, const stats::Trailer&) {}
  virtual void on_call_end(stats::Tag, const stats::CallEnd&) {}
};

}  // namespace gaggle
