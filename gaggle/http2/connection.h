// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "gaggle/base/bytes.h"
#include "gaggle/base/clock.h"
#include "gaggle/http2/abuse_bucket.h"
#include "gaggle/http2/error.h"
#include "gaggle/http2/events.h"
#include "gaggle/http2/expect_line.h"
#include "gaggle/http2/frame.h"
#include "gaggle/http2/growing_window.h"
#include "gaggle/http2/hpack_decoder.h"
#include "gaggle/http2/hpack_encoder.h"
#include "gaggle/http2/incoming.h"
#include "gaggle/http2/limits.h"
#include "gaggle/http2/options.h"
#include "gaggle/http2/output_queue.h"
#include "gaggle/http2/settings.h"
#include "gaggle/http2/stream.h"
#include "gaggle/http2/stream_table.h"

namespace gaggle::http2 {

enum class Role : uint8_t { kClient, kServer };

enum class [[nodiscard]] SendResult : uint8_t {
  kOk,
  kFull,      // accepted, but more than Limits::stream_queue_bytes wait: go on after on_writable
  kEnded,     // the stream is over, our direction has ended, or a GOAWAY came first: nothing sent
  kTooLarge,  // more than the peer's SETTINGS_MAX_HEADER_LIST_SIZE: nothing sent
};

enum class CanOpen : uint8_t {
  kYes,
  kStreamLimit,   // the peer's SETTINGS_MAX_CONCURRENT_STREAMS: on_can_open comes
  kGoingAway,     // a GOAWAY was received or sent
  kIdsExhausted,  // 2^30 streams have been opened: use a new connection
  kFailed,
};

// One HTTP/2 connection (RFC 9113), client's or server's end, without I/O: bytes and the time go
// in, events and bytes come out. It never sees a socket, a clock or a thread.
//
// Threads: one at a time; no locks. Lifetime: `options`, `events` and `tallies`, in which it counts,
// outlive the connection, and may be those of many. Time: the `now` of
// receive() and on_time() never goes back. Errors: the peer's become events and frames; nothing
// that arrives from it can make a call here fail or assert.
//
//   Connection connection(Role::kServer, options, events, tallies);
//   connection.start(now);
//   each turn:  connection.begin_turn();
//               connection.receive(bytes, now);           // events
//               ... handlers answer: send_headers(), send_data() ...
//               while (connection.wants_write()) {        // usually once
//                 iovec parts[64]; size_t n = connection.gather(parts);
//                 connection.written(writev(parts, n));
//               }
//
// Backpressure to the peer: stop reading while read_paused(); call receive({}, now) in the next
// turn if has_pending_input().
class Connection {
 public:
  Connection(Role role, const Options& options, Events& events, Tallies& tallies);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  Role role() const { return role_; }

  // --- Input (receive.cc, receive_frames.cc, receive_headers.cc, receive_data.cc) ---

  // Queues our preface: SETTINGS and the connection's window. Once, before everything else.
  void start(TimePoint now);
  // Takes what the socket had, cut anywhere; nothing of `bytes` is needed after the return. An
  // empty span continues with input that was put off. No effect after the connection has failed.
  void receive(std::span<const uint8_t> bytes, TimePoint now);
  // A new turn of the loop: as many new requests are accepted again as the limit says.
  void begin_turn() {
    new_requests_ = 0;
    last_id_before_turn_ = last_peer_id_;
  }
  // Input that was put off can go on: call begin_turn() and receive({}, now) soon, and read no more
  // before. Ask again when handlers have ended (release).
  bool has_pending_input() const;
  // The peer doesn't read what it makes us send: read no more until written() has cleared this.
  bool read_paused() const { return read_paused_; }

  // --- Output (output.cc) ---

  bool wants_write() const;
  // Fills `parts` with what is to be written next, up to about Limits::write_batch_bytes; returns
  // how many it used. They are valid until the next call of anything here: write at once, without
  // blocking, and ask again for what the socket didn't take.
  size_t gather(std::span<iovec> parts);
  // The first `bytes` of what gather() gave are written.
  void written(size_t bytes);
  // Framed and not written; content that waits in streams isn't counted.
  size_t unsent_bytes() const { return output_.unsent_bytes(); }
  // Content that waits in streams whose owner has released them: answers that are complete, and that
  // the peer's windows don't let out yet.
  size_t unread_answer_bytes() const { return unread_answer_bytes_; }
  // Less than Limits::unread_answer_bytes of them: another call may start.
  bool may_start_call() const { return unread_answer_bytes_ < options_.limits.unread_answer_bytes; }
  void count_held_call() { ++tallies_.held_calls; }
  // All that waits here in either direction: unsent, queued on streams, incomplete or put-off input.
  // Walks over the streams.
  size_t buffered_bytes() const;

  // --- Streams (streams.cc) ---

  CanOpen can_open() const;
  // Client: a new stream, or null when can_open() isn't kYes. Its id comes with its HEADERS.
  Stream* open_stream();
  // The layer above is done with the stream: its handler has ended. No event mentions it any more, and it must not be
  // used. Output that is queued still leaves, if our direction was ended; a direction that is open still is reset: the
  // request with CANCEL, an unfinished response with INTERNAL_ERROR, an unread request behind a whole one with
  // NO_ERROR.
  void release(Stream& stream);
  // Streams that aren't over.
  size_t open_streams() const { return open_streams_; }
  // Server: streams that hold a slot, and those that wait for one.
  size_t used_slots() const { return used_slots_; }
  size_t queued_streams() const { return waiting_.size(); }

  // --- Sending (send.cc) ---

  // The header section of a request or a response. With END_STREAM it is the whole message. On a
  // client kEnded before a stream has an id means a GOAWAY came first: the request was never sent.
  SendResult send_headers(Stream& stream, std::span<const HeaderOut> fields, bool end_stream);
  SendResult send_headers(Stream& stream, const PreparedHeaders& prepared, std::span<const HeaderOut> more,
                          bool end_stream);
  // The trailer section, after everything that is queued; it ends our direction. `prepared` must
  // stay until the stream is over.
  SendResult send_trailers(Stream& stream, std::span<const HeaderOut> fields);
  SendResult send_trailers(Stream& stream, const PreparedHeaders& prepared, std::span<const HeaderOut> more);
  // A frame of `bytes` of content that the caller writes to the returned place at once, before any
  // other call. Null when flow control, the frame size, what is queued or the batch don't allow it
  // now: use send_data, which also says if it's because the stream is over.
  uint8_t* reserve_data(Stream& stream, size_t bytes, bool end_stream);
  // Content: small pieces are copied, large ones are shared until they are written.
  SendResult send_data(Stream& stream, Bytes content, bool end_stream);
  // Content that `lender` (Bytes::lender) has lent for this stream, and that isn't written, becomes a copy.
  void end_loan(Stream& stream, const Bytes& lender) {
    stream.queue_.end_loan(lender);
    output_.end_loan(lender);
  }
  // Ends the stream at once, both directions; drops what is queued. No event follows. Still to be
  // released.
  void reset(Stream& stream, ErrorCode code);

  // --- Flow control of what is received (flow.cc) ---

  // The application has taken `bytes` of the content that on_data gave: the peer may send as much.
  void consume(Stream& stream, size_t bytes);
  // A pending receive needs `bytes` more than have arrived: the peer may send them even if they
  // are more than the window; once others have come, when they are many (Limits::expected_bytes).
  void expect(Stream& stream, size_t bytes);
  // For a process that is short of memory: from now on the peer may have at most `bytes` on their way to us over all
  // streams, and as soon as so much lies here that nobody has asked for, nothing more. What it may send already can't
  // be taken back. Options::connection_window_bytes, or more, ends it.
  void limit_connection_window(uint32_t bytes);
  // The same for each stream: from its acknowledgement of a SETTINGS frame on, the peer may have at most `bytes` on
  // their way to us over one stream, beyond what expect() has asked for. Streams that are open lose the difference, so
  // that their windows may be below zero for a while. At most one such frame is under way, whatever is called
  // meanwhile. Options::initial_window_bytes, or more, ends it; there is no frame for what changes nothing.
  void limit_stream_windows(uint32_t bytes);
  // A message ended in the content of the latest on_data. Small frames that complete messages are
  // honest work; those that don't are charged (AbuseBucket).
  void message_completed(Stream& stream);

  // --- The connection as a whole (lifecycle.cc, settings_exchange.cc) ---

  // A PING; on_ping_ack(payload) follows. These payloads are taken.
  void ping(uint64_t payload);
  static constexpr uint64_t kDrainPing = 0x6761'6767'6c65'2121;
  static constexpr uint64_t kRoundTripPing = 0x6761'6767'6c65'3f3f;
  // Graceful end in two steps: GOAWAY(2^31-1) and a PING now, and when that has come back, or with finish_drain(),
  // GOAWAY with the last stream that is served. A client ends in one step. `debug`: static; both frames say it.
  void begin_drain(std::string_view debug = {});
  void finish_drain();
  // The last GOAWAY is queued or sent: no further stream comes.
  bool final_goaway_sent() const { return last_goaway_sent_; }
  // One step: no stream above those seen so far is served.
  void goaway(ErrorCode code, std::string_view debug);
  // No new streams: a GOAWAY was sent or received.
  bool going_away() const { return goaway_sent_ || goaway_received_; }
  // Going away for good, nothing is open and nothing unsent: close the socket.
  bool drained() const;

  // Ends the connection with GOAWAY(code) as if the peer had broken the protocol. `reason`: static.
  void fail(ErrorCode code, std::string_view reason);
  bool failed() const { return failed_; }
  // The socket is gone: every stream that isn't over gets on_reset with kConnection.
  void connection_lost();

  // When on_time() has something to do: kNever, or the earliest timeout of Limits.
  TimePoint next_deadline() const;
  void on_time(TimePoint now);

  // What the peer may still send over all streams, with what is about to be given back to it, and without what the
  // window has grown by. This is always Options::connection_window_bytes: none can leak away.
  int64_t receive_credit() const { return receive_window_ + connection_returnable_ - connection_extra(); }
  const Settings& peer_settings() const { return peer_; }
  bool peer_settings_received() const { return peer_settings_received_; }
  const Options& options() const { return options_; }
  // Of all connections that count in the same Tallies.
  Counters counters() const { return read(tallies_); }
  // How many frames with a header block or content have been sent, and a number that changes with each stream.
  uint32_t call_frames_sent() const { return call_frames_sent_; }
  uint32_t latest_stream() const { return role_ == Role::kServer ? last_peer_id_ : next_id_; }

  // Gives back buffers and pools that a busy connection will want again. For idle connections.
  void release_idle_memory();
  // This object and all memory behind it.
  size_t memory_bytes() const;

 private:
  // Window updates that traffic calls for, generously: a few at first, some for each stream and each DATA frame sent.
  static constexpr int64_t kFirstWindowUpdates = 5;
  static constexpr int64_t kWindowUpdatesPerStream = 2;
  static constexpr int64_t kWindowUpdatesPerDataFrame = 20;

  // receive.cc: bytes to frames
  size_t parse(const uint8_t* in, size_t size);
  size_t parse_preface(const uint8_t* in, size_t size);
  std::span<const uint8_t> receive_stored(std::span<const uint8_t> bytes);
  void watch_incomplete_input();
  bool check_frame(const FrameHeader& frame);
  bool check_stream_id(const FrameHeader& frame);
  bool check_length(const FrameHeader& frame);
  bool passes(const FrameHeader& frame) const;
  bool put_off(const FrameHeader& frame);
  void begin_passing(const FrameHeader& frame, uint8_t padding);
  size_t pass(const uint8_t* in, size_t size);

  // receive_frames.cc: one function for each type of frame
  void handle_frame(const FrameHeader& frame, const uint8_t* payload);
  void handle_priority(const FrameHeader& frame);
  void handle_rst_stream(const FrameHeader& frame, const uint8_t* payload);
  void handle_ping(const FrameHeader& frame, const uint8_t* payload);
  void handle_ping_ack(uint64_t opaque);
  void handle_goaway(const FrameHeader& frame, const uint8_t* payload);
  void handle_window_update(const FrameHeader& frame, const uint8_t* payload);
  bool is_idle(uint32_t stream_id) const;

  // receive_headers.cc
  void handle_headers(const FrameHeader& frame, const uint8_t* payload);
  void handle_continuation(const FrameHeader& frame, const uint8_t* payload);
  void extend_block(std::span<const uint8_t> fragment);
  void continuation_flood();
  void finish_block(uint32_t stream_id, std::span<const uint8_t> bytes, bool end_stream);
  void handle_request(uint32_t stream_id, HeaderBlockRef block, bool end_stream);
  void handle_response(Stream& stream, HeaderBlockRef block, bool end_stream);
  void handle_trailers(Stream& stream, HeaderBlockRef block, bool end_stream);
  void handle_late_block(uint32_t stream_id, size_t bytes);
  void malformed(uint32_t stream_id);
  void refuse(uint32_t stream_id);

  // receive_data.cc
  void begin_data(const FrameHeader& frame, uint8_t padding);
  bool accept_data(Stream& stream, const FrameHeader& frame, uint32_t content);
  void charge_small_data(Stream& stream, uint32_t content);
  void credit_large_data(Stream& stream);
  void pass_content(std::span<const uint8_t> content);
  void late_data(const FrameHeader& frame);

  // flow.cc
  ConnectionGrowth& growth();
  uint32_t connection_extra() const { return growth_ != nullptr ? growth_->window.extra() : 0; }
  bool take_connection_window(uint32_t bytes);
  void return_connection_window();
  void return_stream_window(Stream& stream);
  void set_expected(Stream& stream, uint32_t bytes);
  // Nothing more comes: the next may. Most streams have never expected anything beyond what came.
  void stop_expecting(Stream& stream) {
    if (stream.expected_ == 0 && !stream.wants_more_) return;
    stream.wants_more_ = false;
    set_expected(stream, 0);
  }
  bool has_line() const { return line_ != nullptr && !line_->waiting.empty(); }
  uint32_t most_expected() const { return std::max(options_.limits.expected_bytes, options_.connection_window()); }
  bool has_room_for(const Stream& stream) const;
  void exceed(Stream& stream);
  void stand_in_line(Stream& stream);
  void serve_line(TimePoint too_long);
  void end_line_period();
  void hold(Stream& stream, uint32_t bytes) {
    if (stream.expected_ != 0 || has_line()) return hold_expected(stream, bytes);
    stream.held_ += bytes;
    held_bytes_ += bytes;
  }
  void hold_expected(Stream& stream, uint32_t bytes);
  void unhold(Stream& stream, size_t bytes);
  void write_window_update(uint32_t stream_id, uint32_t increment);
  void widen_connection(uint32_t increment);
  void widen_stream(Stream& stream, uint32_t increment);
  bool shift_send_windows(int64_t difference);
  void shift_receive_windows(int64_t difference);
  bool can_widen_streams(int64_t difference) const;
  void adopt_stream_windows();

  // streams.cc
  Stream& accept(uint32_t stream_id);
  void give_id(Stream& stream);
  void begin(Stream& stream, uint32_t stream_id);
  uint32_t slot_queue_limit() const;
  void take_slot(Stream& stream);
  void start_queued();
  void deliver_early(Stream& stream);
  void end_local(Stream& stream);
  void end_remote(Stream& stream);
  void complete(Stream& stream);
  void close(Stream& stream);
  void close_by_reset(Stream& stream);
  void notify_can_open();
  void settle(Stream& stream);
  void send_reset(Stream& stream, ErrorCode code);
  void ignore_from_now(uint32_t stream_id, int64_t window);
  void take_late_allowance(size_t bytes);
  void stream_error(uint32_t stream_id, ErrorCode code);
  void drop(Stream& stream, ErrorCode code, ResetOrigin origin);
  void drop_unprocessed(uint32_t last_stream_id);
  void abandon_streams();
  template <class Condition>
  void drop_each(Condition condition, ErrorCode code, ResetOrigin origin);

  // send.cc
  bool can_send(const Stream& stream) const { return !failed_ && !stream.local_closed(); }
  SendResult write_headers(Stream& stream, const PreparedHeaders* prepared, std::span<const HeaderOut> fields,
                           bool end_stream);
  SendResult write_trailers(Stream& stream, const PreparedHeaders* prepared, std::span<const HeaderOut> fields);
  static void defer_trailers(Stream& stream, const PreparedHeaders* prepared, std::span<const HeaderOut> fields);
  bool list_fits(const PreparedHeaders* prepared, std::span<const HeaderOut> fields) const;
  void encode_block(uint32_t stream_id, const PreparedHeaders* prepared, std::span<const HeaderOut> fields,
                    bool end_stream);
  void split_block(size_t start, uint32_t stream_id, uint8_t flags);
  void write_data_header(Stream& stream, size_t bytes, bool end_stream);

  // output.cc
  bool may_frame(const Stream& stream) const;
  void schedule(Stream& stream);
  void unschedule(Stream& stream);
  void pump();
  void notify_writable(Stream& stream);
  void frame_turn(Stream& stream);
  void write_content(Stream& stream, size_t length);
  void finish_queue(Stream& stream);
  uint8_t* begin_control_frame(FrameType type, uint8_t flags, uint32_t stream_id, uint32_t length);
  void write_rst_stream(uint32_t stream_id, ErrorCode code);
  void write_goaway(uint32_t last_stream_id, ErrorCode code, std::string_view debug);
  void count_control_frame();
  void update_read_pause();

  // settings_exchange.cc
  void write_our_settings();
  void announce_stream_windows();
  void handle_settings(const FrameHeader& frame, const uint8_t* payload);
  void handle_settings_ack();

  // abuse.cc
  void charge(int64_t tenths);
  void charge_reset(int64_t tenths);
  void charge_peer_reset(uint32_t stream_id);
  void charge_window_update();
  void settle_charge(bool paid, int64_t charged_before);

  const Role role_;
  bool failed_ = false;
  bool input_put_off_ = false;
  bool read_paused_ = false;
  bool goaway_sent_ = false;
  bool goaway_received_ = false;
  bool draining_ = false;  // the first GOAWAY of two is out
  bool last_goaway_sent_ = false;
  bool peer_settings_received_ = false;
  bool settings_acked_ = false;  // all that were sent
  bool first_settings_acked_ = false;
  bool open_refused_ = false;       // open_stream() said no for the peer's limit
  bool traffic_since_ping_ = true;  // since the peer's last: then its next is free
  uint8_t preface_left_;            // server: bytes of kClientPreface that haven't come
  Events& events_;
  const Options& options_;
  Tallies& tallies_;

  TimePoint now_{};
  TimePoint preface_deadline_ = kNever;
  TimePoint block_deadline_ = kNever;
  TimePoint settings_deadline_ = kNever;
  uint32_t steps_ = 0;         // frames and whole header blocks so far
  uint32_t watched_step_ = 0;  // the one that block_deadline_ is for

  Settings peer_;
  PassingFrame passing_;
  std::unique_ptr<OpenBlock> block_;  // a header block that isn't complete
  OutputBuffer input_;                // an incomplete frame, or input that was put off

  StreamTable streams_;
  StreamHistory history_;
  StreamLine waiting_;  // for a slot
  StreamLine sending_;  // with content queued and a window of their own
  uint32_t open_streams_ = 0;
  uint32_t used_slots_ = 0;
  size_t unread_answer_bytes_ = 0;
  uint32_t idle_streams_ = 0;             // client: opened, HEADERS not sent
  uint32_t new_requests_ = 0;             // in this turn
  uint32_t last_peer_id_ = 0;             // server: the highest seen
  uint32_t last_id_before_turn_ = 0;      // server: when this turn began
  uint32_t accepted_id_ = kMaxStreamId;   // server: the highest that our GOAWAY lets pass
  uint32_t next_id_ = 1;                  // client
  uint32_t peer_last_id_ = kMaxStreamId;  // client: the lowest of the peer's GOAWAYs
  uint32_t pings_outstanding_ = 0;

  int64_t send_window_ = kDefaultWindowBytes;
  int64_t receive_window_ = kDefaultWindowBytes;
  uint32_t connection_returnable_ = 0;
  uint32_t connection_target_;                // what receive_window_ is filled up to
  uint32_t connection_step_;                  // how much of its credit is worth a frame
  uint32_t local_window_bytes_;               // of new streams, as the peer may see it now
  uint32_t wanted_window_bytes_;              // what it shall be
  uint32_t announced_window_bytes_;           // what our latest SETTINGS say
  uint32_t input_needed_ = 0;                 // bytes that input_ has to have for the next step
  size_t held_bytes_ = 0;                     // sum of the streams' held_
  int64_t exceeding_bytes_ = 0;               // sum of expected_ of the streams that may exceed their windows
  std::unique_ptr<ExpectLine> line_;          // made for the first
  std::unique_ptr<ConnectionGrowth> growth_;  // made when half a window has been used
  int64_t late_allowance_ = 0;                // bytes that may come for streams we have reset

  HpackDecoder decoder_;
  HpackEncoder encoder_;
  OutputQueue output_;
  uint32_t call_frames_sent_ = 0;
  uint32_t control_frames_ = 0;  // that the peer made us send, unwritten
  uint64_t control_end_ = 0;     // position behind the last of them
  int64_t free_window_updates_;  // that the peer may send still
  std::string_view drain_debug_;
  AbuseBucket abuse_;
};

}  // namespace gaggle::http2
