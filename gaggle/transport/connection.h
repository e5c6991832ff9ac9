// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "gaggle/base/clock.h"
#include "gaggle/base/status.h"
#include "gaggle/http2/connection.h"
#include "gaggle/net/byte_stream.h"
#include "gaggle/net/timer.h"

namespace gaggle::transport {

// Asks a silent peer for a sign of life. gRFC A8.
struct Keepalive {
  Duration time = Duration::max();              // silence after which to ask; max: never
  Duration timeout = std::chrono::seconds{20};  // no sign of life for so long after asking: closed
  bool permit_without_stream = false;           // ask also while no stream is open
};

// A value. Timeouts of the protocol are in http2.limits.
struct Options {
  http2::Options http2 = {};
  Keepalive keepalive = {};
  // Without a stream for so long: a graceful end, "max_idle". gRFC A9.
  Duration max_idle = Duration::max();
  // After the second GOAWAY of an end by limit_age(): how long streams may go on.
  Duration age_grace = Duration::max();
  // Quiet for so long: buffers and pools go back to the heap.
  Duration idle_release = std::chrono::milliseconds{300};
  // A graceful end in two steps waits at most so long for the answer to its PING.
  Duration drain_ping_timeout = std::chrono::seconds{5};
  // After a protocol error: how long the peer may take to read our GOAWAY before the socket goes.
  Duration linger = std::chrono::seconds{1};
};

// What happened on one connection beside what http2::Counters has.
struct Counters {
  uint64_t reads = 0;
  uint64_t writes = 0;
  uint32_t keepalive_pings = 0;
  uint32_t idle_releases = 0;
  // These happen once at most.
  uint8_t write_timeouts = 0;      // closed: Limits::write_progress_timeout
  uint8_t keepalive_timeouts = 0;  // closed: Keepalive::timeout
  uint8_t max_idle_drains = 0;     // ends begun: Options::max_idle
  uint8_t max_age_drains = 0;      // ends begun: limit_age()
  uint8_t age_grace_closes = 0;    // closed: Options::age_grace
};

// The layer above a Connection: hears the events of HTTP/2, and when it may act on them.
class Handler : public http2::Events {
 public:
  // Events have been delivered, and nothing is being parsed: user code may run from here. What it
  // sends leaves at the end of the turn. Comes after input, timeouts and writes, with or without
  // events.
  virtual void on_events_done() = 0;
  // The socket is closed, every stream that wasn't over has had its on_reset. Exactly once, at the
  // end of a turn, as the last call. `why` is UNAVAILABLE, or what close() was given. The Connection
  // may be destroyed in here.
  virtual void on_closed(const Status& why) = 0;
  // The connection has been quiet, and gives memory back.
  virtual void on_idle() {}

 protected:
  ~Handler() = default;
};

// Joins a ByteStream to an http2::Connection, for either role.
//
// Reads into the loop's shared buffer when the stream is readable, so that an idle connection holds
// none; feeds the engine; lets the layer above act; and writes what all streams have produced once,
// at the end of the loop's turn. Closes when the engine is done, the peer is gone, or a timeout of
// http2::Limits has passed.
//
// Threads: that of the stream's loop. Lifetime: `handler`, `options` and `tallies` outlive it. Destroying it closes the
// socket without any event; don't from within an event of http2 or on_events_done.
//
//   Connection connection(std::move(stream), http2::Role::kServer, options, handler, tallies);
//   connection.start();
//   ... in handler: connection.http2().send_headers(...);   connection.flush();
class Connection {
 public:
  Connection(std::unique_ptr<ByteStream> stream, http2::Role role, const Options& options, Handler& handler,
             http2::Tallies& tallies);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Sends our preface and begins to read. Once, before everything else.
  void start();

  // The engine: open, send, consume, reset, release streams here, then flush().
  http2::Connection& http2() noexcept { return engine_; }
  const http2::Connection& http2() const noexcept { return engine_; }

  // Something was sent or released: it's written at the end of this turn. Not needed within events
  // and on_events_done. Cheap, may be called often.
  void flush() noexcept {
    if (!hook_.deferred()) schedule();
  }

  // Graceful end: no new streams are taken, those that are open may finish, then the socket closes.
  // `debug`: static; the GOAWAYs say it.
  void drain(std::string_view debug = {});
  // At `when`: drain("max_age"), then Options::age_grace for what is open. gRFC A9.
  void limit_age(TimePoint when);
  // Ends now: streams get on_reset with kConnection, what is unsent gets one chance to leave, then
  // on_closed(why) follows at the end of this turn.
  void close(const Status& why);
  // The same at once, without a last chance: on_closed comes before this returns. For loops that are
  // being destroyed. Not within events and on_events_done.
  void abort(const Status& why);
  // The socket is closed, or will be at the end of this turn.
  bool is_closing() const noexcept { return state_ >= State::kClosing; }

  Loop& loop() const noexcept { return stream_->loop(); }
  const Address& peer_address() const noexcept { return stream_->peer_address(); }
  const Address& local_address() const noexcept { return stream_->local_address(); }
  std::shared_ptr<const StreamSecurity> security() const noexcept { return stream_->security(); }
  const Counters& counters() const noexcept { return counters_; }

 private:
  enum class State : uint8_t {
    kOpen,
    kLingering,  // our last bytes are out; waits for the peer to read them
    kClosing,    // on_closed comes at the end of the turn
    kClosed,
  };
  // Reads and writes of one turn, so that one busy connection can't starve the others.
  static constexpr int kReadsPerTurn = 4;
  static constexpr int kWritesPerTurn = 8;

  // What most connections don't wait for: a peer that gives no sign of life, the end.
  struct Waits {
    TimePoint write_progress{};  // while stalled_
    TimePoint ping = kNever;     // while ping_out_
    TimePoint drain = kNever;    // for the answer to a graceful end
    TimePoint linger = kNever;
    TimePoint age = kNever;         // of the age, then of the grace
    TimePoint idle_since = kNever;  // without a stream; watched only for Options::max_idle
  };
  Waits& waits() {
    if (waits_ == nullptr) waits_ = std::make_unique<Waits>();
    return *waits_;
  }

  // connection.cc
  void schedule() noexcept;
  void on_turn_end();
  void settle();
  void await_linger();
  void touch();
  void begin_close(const Status& why);
  void finish_close();

  // connection_io.cc
  void on_readable();
  void on_writable();
  void read_some();
  bool take_input(IoResult result, std::span<const uint8_t> buffer);
  void continue_input();
  bool wants_input() const;
  void wait_readable();
  void write_some();
  void wait_writable();
  void discard_input();
  void begin_linger();

  // connection_timers.cc
  void on_timer();
  void plan_timer();
  TimePoint next_deadline() const;
  TimePoint writing_deadline() const;
  bool keepalive_wanted() const;
  TimePoint keepalive_deadline() const;
  void check_writing(TimePoint now);
  void check_keepalive(TimePoint now);
  void check_idle(TimePoint now);

  // connection_lifetime.cc
  void watch_lifetime();
  TimePoint lifetime_deadline() const;
  void check_lifetime(TimePoint now);

  std::unique_ptr<ByteStream> stream_;
  Handler& handler_;
  State state_ = State::kOpen;
  bool reading_ = false;         // a wait for readability is under way
  bool writing_ = false;         // the same for writability: the socket is full
  bool continue_input_ = false;  // put-off input goes on in the hook's next run
  bool stalled_ = false;         // the socket is full since Waits::write_progress
  bool draining_ = false;
  bool released_ = true;   // nothing to give back
  bool ping_out_ = false;  // keepalive asked, and nothing was read since
  bool aged_ = false;      // draining for its age
  const Options& options_;
  TimePoint last_read_{};
  TimePoint last_active_{};       // read or written
  std::unique_ptr<Waits> waits_;  // made for the first of them
  uint32_t latest_stream_ = 0;    // when idle_since was looked at last
  Status close_reason_;
  Counters counters_;

  WaiterOf<&Connection::on_readable> readable_{*this};
  WaiterOf<&Connection::on_writable> writable_{*this};
  HookOf<&Connection::on_turn_end> hook_{*this};
  TimerOf<&Connection::on_timer> timer_;
  http2::Connection engine_;
};

}  // namespace gaggle::transport
