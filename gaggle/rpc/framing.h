// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gaggle/base/bytes.h"

namespace gaggle {

// gRPC's frame around each message: one byte of flags, four of length, big-endian (gRPC over HTTP2,
// "Length-Prefixed-Message").
inline constexpr size_t kMessagePrefixBytes = 5;

// Writes the prefix of a message that takes `size` bytes, compressed if `compressed` says so; gives the
// place behind it.
uint8_t* write_message_prefix(uint8_t* out, size_t size, bool compressed = false) noexcept;

// Cuts messages out of the content of DATA frames, which are cut without regard to messages.
//
// Content is given piece by piece: next() takes one message off the front of a piece and stores what
// is incomplete; keep() stores a piece that nobody wants yet. A message that lies whole in a piece,
// with nothing stored before it, isn't copied. Memory grows with the bytes that have arrived: what a
// prefix announces is reserved, but never more than eight times what is there. After an error nothing more can be read.
// Not thread-safe.
//
//   while (reader.next(piece) == MessageReader::Step::kMessage) use(reader.message());
class MessageReader {
 public:
  enum class [[nodiscard]] Step : uint8_t {
    kMessage,     // message() has one
    kMore,        // the piece is used up
    kTooLarge,    // announced longer than the limit; declared_bytes() says how long
    kCompressed,  // flag 1, which no encoding was agreed for
    kBadFlag,     // flags other than 0 and 1
  };

  // Storage that an ended call may keep for the next one.
  static constexpr size_t kKeptBytes = 16 * 1024;

  explicit MessageReader(size_t limit = SIZE_MAX) noexcept : limit_(limit) {}

  // For another call: empty, with the same or another limit.
  void reset() noexcept;
  void reset(size_t limit) noexcept {
    limit_ = limit;
    reset();
  }

  // Whether messages may have flag 1 from now on: the call's headers named an encoding. Not at first.
  void allow_compressed(bool allow) noexcept { allow_compressed_ = allow; }

  // `piece` begins where what was given before ended; what was taken or stored is removed from it.
  Step next(std::span<const uint8_t>& piece);
  // The next message out of what is stored.
  Step next() {
    std::span<const uint8_t> nothing;
    return next(nothing);
  }
  void keep(std::span<const uint8_t> piece);

  // After kMessage, until the next call here or the end of the piece's memory.
  std::span<const uint8_t> message() const noexcept { return message_; }
  // message() is compressed.
  bool is_compressed() const noexcept { return compressed_; }
  // The same, to keep: without a copy when a large message fills the storage.
  Bytes take_message();
  // What the latest message took of the content, prefix included.
  size_t message_wire_bytes() const noexcept { return message_.size() + kMessagePrefixBytes; }
  // Of the latest prefix that was read.
  uint32_t declared_bytes() const noexcept { return declared_; }

  // Stored and not given out.
  size_t stored_bytes() const noexcept { return stored_ - used_ - given_; }
  // No incomplete message is stored: here a call may end.
  bool at_boundary() const noexcept { return stored_bytes() == 0; }
  // How many bytes are missing to complete the first stored message; with less than a prefix stored,
  // to complete that.
  size_t missing_bytes() const noexcept;

 private:
  Step read_prefix(const uint8_t* prefix) noexcept;
  void drop_used() noexcept;
  void grow(size_t size);
  void store(std::span<const uint8_t>& piece, size_t bytes);

  size_t limit_;
  uint32_t declared_ = 0;
  bool allow_compressed_ = false;
  bool compressed_ = false;
  std::span<const uint8_t> message_;
  Bytes storage_;               // nobody else's until take_message() gives it away
  uint8_t* content_ = nullptr;  // its memory
  size_t stored_ = 0;           // of it: has content, of which
  size_t used_ = 0;             // so much was given out before,
  size_t given_ = 0;            // and behind that, the message that was given out last
};

// Counts the messages that end in each piece of content, without looking at them: what
// http2::Connection::message_completed wants to know, also of content that nobody reads yet.
class MessageCounter {
 public:
  void reset() noexcept { *this = {}; }
  // How many messages ended in `piece`, which begins where the last one ended.
  size_t count(std::span<const uint8_t> piece) noexcept;
  // The latest piece ended where a message does.
  bool at_boundary() const noexcept { return left_ == 0 && prefix_bytes_ == 0; }

 private:
  uint32_t left_ = 0;      // of the current message
  uint32_t declared_ = 0;  // as far as its prefix has been read
  uint8_t prefix_bytes_ = 0;
};

}  // namespace gaggle
