// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gaggle/base/bytes.h"
#include "gaggle/http2/growing_window.h"
#include "gaggle/http2/header_block.h"
#include "gaggle/http2/hpack_prepared.h"
#include "gaggle/http2/output_buffer.h"

namespace gaggle::http2 {

// RFC 9113 §5.1, without the states of pushed streams. kIdle: a client's stream that has no id yet,
// because its HEADERS haven't been sent.
enum class StreamState : uint8_t { kIdle, kOpen, kHalfClosedLocal, kHalfClosedRemote, kClosed };

// Slices that wait for flow control, first in, first out. None of them is empty.
class SliceQueue {
 public:
  bool empty() const { return bytes() == 0; }
  size_t bytes() const { return slices_ != nullptr ? slices_->bytes : 0; }
  const Bytes& front() const { return slices_->list[slices_->head]; }
  void push(Bytes slice);
  void drop_front(size_t bytes);  // bytes <= front().size()
  // Slices that `lender` has lent become copies.
  void end_loan(const Bytes& lender);
  void clear();
  size_t memory_bytes() const { return slices_ != nullptr ? slices_->list.capacity() * sizeof(Bytes) : 0; }

 private:
  struct Slices {
    std::vector<Bytes> list;
    size_t head = 0;
    size_t bytes = 0;
  };
  std::unique_ptr<Slices> slices_;  // made for the first one: most streams never wait
};

// One stream of a Connection, which owns and pools it.
//
// Whoever is told of a stream (Events::on_headers on a server, Connection::open_stream on a client)
// may use it until Connection::release, also when it's over in the meantime. Everything that acts
// on a stream is an operation of its Connection. Same thread as the connection.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // What the layer above hangs here, so that it needs no table of its own. Null at first.
  void* user = nullptr;

  // 0 on a client's stream before its HEADERS are sent.
  uint32_t id() const { return id_; }
  StreamState state() const { return state_; }

  // We have ended our direction: END_STREAM is sent, or queued behind data.
  bool local_closed() const { return end_queued_ || is_local_closed(state_); }
  // The peer has ended its direction.
  bool remote_closed() const { return is_remote_closed(state_); }
  // Closed by RST_STREAM from either side, or with the connection.
  bool was_reset() const { return reset_; }
  // Nothing more will be received or sent.
  bool is_over() const { return state_ == StreamState::kClosed; }
  // Content that waits for flow control or for a place in the next writes.
  size_t queued_bytes() const { return queue_.bytes(); }

 private:
  friend class Connection;
  friend class StreamTable;
  friend class StreamLine;

  // Trailers that can't be encoded yet, since data before them is queued: header blocks have to be
  // encoded in the order of the wire.
  struct DeferredTrailers {
    const PreparedHeaders* prepared = nullptr;
    std::vector<HeaderOut> fields;  // the views point into text
    std::string text;
  };
  // What arrived for a stream that waits for a slot.
  struct EarlyInput {
    HeaderBlockRef headers;
    HeaderBlockRef trailers;
    OutputBuffer content;
  };

  // What few streams have; stays with the stream in the pool.
  struct Extras {
    int64_t content_left = -1;  // of the declared content-length; -1: none was declared
    DeferredTrailers trailers;  // while trailers_queued_
    std::unique_ptr<EarlyInput> early;
    GrowingWindow window;
  };
  Extras& extras() {
    if (extras_ == nullptr) extras_ = std::make_unique<Extras>();
    return *extras_;
  }
  EarlyInput* early() const { return extras_ != nullptr ? extras_->early.get() : nullptr; }
  // -1: none is declared.
  void declare_content(int64_t bytes) {
    if (bytes >= 0) extras().content_left = bytes;
  }
  // Whether `bytes` more, the last ones or not, are what was declared.
  bool take_declared(int64_t bytes, bool last) {
    if (extras_ == nullptr || extras_->content_left < 0) return true;
    if (last ? bytes != extras_->content_left : bytes > extras_->content_left) return false;
    extras_->content_left -= bytes;
    return true;
  }

  static bool is_local_closed(StreamState state) {
    return state == StreamState::kHalfClosedLocal || state == StreamState::kClosed;
  }
  static bool is_remote_closed(StreamState state) {
    return state == StreamState::kHalfClosedRemote || state == StreamState::kClosed;
  }

  // Transitions. Each is a mistake of the connection in any other state than those of the RFC.
  void open();
  void end_local();
  void end_remote();
  void close_by_reset();

  uint32_t id_ = 0;
  StreamState state_ = StreamState::kIdle;
  bool reset_ : 1 = false;
  bool released_ : 1 = false;  // the layer above has let go; output may still be queued
  bool started_ : 1 = false;   // the layer above knows it; on a server it holds a slot
  bool headers_sent_ : 1 = false;
  bool headers_received_ : 1 = false;  // the request, or the final response
  bool end_queued_ : 1 = false;        // END_STREAM follows the last queued slice
  bool trailers_queued_ : 1 = false;   // and extras_ has them
  bool in_line_ : 1 = false;           // waits for its turn to send, or for a slot
  bool full_ : 1 = false;              // a send said kFull and on_writable hasn't come yet
  bool may_exceed_ : 1 = false;        // expected_ was let come beyond the window, and counts in exceeding_bytes_
  bool wants_more_ : 1 = false;        // waits for its turn to do so
  int8_t small_frames_ = 0;            // charged DATA frames of this message that large ones haven't paid for

  int64_t send_window_ = 0;     // what the peer lets us send; below zero after its SETTINGS shrank
  int64_t receive_window_ = 0;  // what we let the peer send
  uint32_t returnable_ = 0;     // consumed, not yet given back by WINDOW_UPDATE
  uint32_t advanced_ = 0;       // granted by expect() ahead of consumption
  uint32_t held_ = 0;           // received, and nobody has asked for it
  uint32_t expected_ = 0;       // somebody waits for as many more

  SliceQueue queue_;
  std::unique_ptr<Extras> extras_;

  Stream* next_ = nullptr;  // all streams of the connection, or the pool
  Stream* previous_ = nullptr;
  Stream* next_in_line_ = nullptr;  // those that can send, or those that wait for a slot
  Stream* previous_in_line_ = nullptr;
};

// Streams that take turns. A stream is in one line at most. Doesn't own.
class StreamLine {
 public:
  Stream* front() const { return first_; }
  bool empty() const { return first_ == nullptr; }
  size_t size() const { return size_; }
  void push_back(Stream& stream);
  void remove(Stream& stream);

 private:
  Stream* first_ = nullptr;
  Stream* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace gaggle::http2
