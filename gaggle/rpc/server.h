// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/clock.h"
#include "gaggle/base/log.h"
#include "gaggle/base/result.h"
#include "gaggle/http2/limits.h"
#include "gaggle/rpc/compressor_choice.h"
#include "gaggle/rpc/server_keepalive.h"
#include "gaggle/rpc/service.h"

namespace gaggle {

class ByteStream;
class Codec;
class CodecRegistry;
class LoopGroup;
class MemoryQuota;
class ServerCredentials;
class ServerTap;
class StatsHandler;

// How a server behaves; a value, copied at creation. What it points to must outlive the server.
struct ServerOptions {
  // Calls that may run at once on one connection; more wait, up to as many again, then are refused.
  uint32_t max_concurrent_streams = 128;
  // Limits on one message, in bytes of its encoded form. Beyond: RESOURCE_EXHAUSTED.
  size_t max_receive_bytes = 4u << 20;
  size_t max_send_bytes = INT32_MAX;
  // Connections at once over all listeners; beyond, a new one is closed at once. 0: no limit.
  size_t max_connections = 0;
  // What this server, and others that are given the same object, may buffer; what happens when it
  // runs short is said there. Null: no limit but those of each connection.
  MemoryQuota* memory_quota = nullptr;
  // Every limit of the HTTP/2 engine, those on headers among them (8 KiB announced, 16 KiB and 128
  // fields at most: RESOURCE_EXHAUSTED, HTTP 431). max_concurrent_streams above and
  // connection_timeout, write_timeout below replace the engine's.
  http2::Limits http2 = {};
  // A new connection has so long for TLS's handshake, and as long again until HTTP/2's preface and
  // settings have come; then it's closed.
  Duration connection_timeout = std::chrono::seconds{10};
  // A connection to which nothing could be written for so long, though there was something, is closed.
  Duration write_timeout = std::chrono::seconds{60};
  // Finding clients that are gone, and bounding how often clients may ask. gRFC A8.
  ServerKeepalive keepalive = {};
  KeepaliveEnforcement keepalive_enforcement = {};
  // A connection without calls for so long is ended gracefully: GOAWAY "max_idle". gRFC A9.
  Duration max_connection_idle = Duration::max();
  // A connection as old as this, ± 10 % so that they don't all come back at once, is ended
  // gracefully: GOAWAY "max_age", and what is still running after the grace is cut off. gRFC A9.
  Duration max_connection_age = Duration::max();
  Duration max_connection_age_grace = Duration::max();
  uint64_t random_seed = 0;  // of that jitter; 0: from the system
  // Decides about each call before anything is made for it; not owned.
  ServerTap* tap = nullptr;
  // First is outermost.
  std::vector<UnaryServerInterceptor*> unary_interceptors = {};
  std::vector<StreamServerInterceptor*> stream_interceptors = {};
  // Hear of every call and of every connection; in order. See stats_handler.h.
  std::vector<std::shared_ptr<StatsHandler>> stats_handlers = {};
  // Answers every method that no registered service has, as a stream of raw messages in both
  // directions (recv and send take Bytes; other types are decoded as theirs). Stream interceptors
  // stand before it. Null: such calls end with UNIMPLEMENTED, and so do malformed paths always.
  StreamHandler* unknown_service = nullptr;
  // How messages are written: the codec that the subtype of a call's content-type names, which its
  // answer uses and names, too; UNIMPLEMENTED without one. Null: protobuf only (and Bytes as they are).
  const CodecRegistry* codecs = nullptr;
  // Writes and reads the messages of every call, whatever its subtype; null: as above.
  const Codec* codec = nullptr;
  // What messages can be compressed with, both ways: gzip, deflate, zstd. Null: nothing.
  CompressorChoice compressors = {};
  // Answers a call whose messages come compressed likewise, if the client accepts that and the handler
  // doesn't choose.
  bool compress_like_request = false;
  Log log = {};
};

// What a server has done since its creation; sums over its loops, each monotonic but `*_now`.
struct ServerCounters {
  uint64_t connections_accepted = 0;
  uint64_t connections_refused = 0;
  uint64_t handshakes_failed = 0;   // of TLS
  uint64_t handshakes_delayed = 0;  // steps that waited, since a turn of the loop had enough of them
  uint64_t connections_now = 0;
  uint64_t calls_started = 0;
  uint64_t calls_succeeded = 0;  // ended with OK
  uint64_t calls_failed = 0;
  uint64_t calls_now = 0;
  uint64_t accept_backoffs = 0;  // out of descriptors or memory
  uint64_t tapped_calls = 0;     // turned away by ServerOptions::tap
  // Connections that were ended, and why (ServerOptions has the bounds).
  uint64_t too_many_pings = 0;
  uint64_t keepalive_timeouts = 0;
  uint64_t write_timeouts = 0;
  uint64_t max_idle_ends = 0;
  uint64_t max_age_ends = 0;
  uint64_t max_age_cuts = 0;  // of these, cut off after the grace
  http2::Counters http2 = {};
};

// Answers gRPC calls on any number of listening addresses.
//
// A connection lives on one of `loops` for life, handlers run there. Create, register, listen; the
// first listen (or serve) starts the server, after which registration is refused.
// Threads: every function may be called from any thread, a handler included; only `wait` and the
// destructor may block, and never on a loop's own thread: there wait() returns
// FAILED_PRECONDITION, and the destructor cancels everything and lets go.
//
//   LoopGroup loops{1};
//   auto server = Server::create(loops);
//   Scores scores;
//   if (Status s = RegisterScoresServer(**server, scores); !s) ...
//   auto port = (*server)->listen("127.0.0.1:50051");
//   (*server)->wait();
class Server : public ServiceRegistrar {
 public:
  // INVALID_ARGUMENT for options out of range. `loops` must outlive the server.
  static Result<std::unique_ptr<Server>> create(LoopGroup& loops, ServerOptions options = {});
  ~Server() override = default;

  // Accepts connections at "host:port", "[v6]:port" or "unix:path". Gives the port (0 for unix),
  // which is the chosen one if `address` asked for port 0. UNAVAILABLE when the address is in use
  // or not ours, INVALID_ARGUMENT when it's no address, FAILED_PRECONDITION after shutdown.
  // Connections are plain text.
  virtual Result<uint16_t> listen(std::string_view address) = 0;
  // The same with connections that are secured first, within the time for a new connection; TLS:
  // credentials/tls.h. `credentials` outlives the server. One server may have addresses of both kinds.
  virtual Result<uint16_t> listen(std::string_view address, const ServerCredentials& credentials) = 0;

  // Serves one connection that came by other means; `stream` lives on the current loop.
  virtual Status serve(std::unique_ptr<ByteStream> stream) = 0;

  // Stops accepting, tells clients to go elsewhere (two GOAWAYs), lets running calls finish, and
  // ends those that haven't after `grace` with CANCELLED. Never blocks; a second call can only
  // shorten the grace.
  virtual void shutdown(Duration grace = std::chrono::seconds{30}) = 0;
  // The same without grace.
  void stop() { shutdown(Duration::zero()); }

  // Blocks until a shutdown has completed: no connection, no handler, no listener is left.
  virtual Status wait() = 0;

  virtual ServerCounters counters() const = 0;
};

}  // namespace gaggle
