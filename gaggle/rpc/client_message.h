// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "gaggle/base/bytes.h"
#include "gaggle/base/status.h"
#include "gaggle/http2/connection.h"
#include "gaggle/rpc/message_coding.h"

namespace gaggle {

class Codec;

// Messages on their way between users' objects and HTTP/2 streams, the client's side.

inline constexpr size_t kDefaultMaxReceiveBytes = size_t{4} << 20;
inline constexpr size_t kDefaultMaxSendBytes = INT32_MAX;
// CallOptions::retry_buffer_bytes, when it isn't set.
inline constexpr size_t kRetryBufferBytes = size_t{256} << 10;

// How large the message is, encoded: INTERNAL when it can't be, RESOURCE_EXHAUSTED when it's larger
// than `limit`. encode right after this.
Status measure_message(ConstMessage message, size_t limit, size_t& size);

// Fills `message` with what the reader's last step gave, decompressing it if need be. INTERNAL when
// it can't be decoded, RESOURCE_EXHAUSTED when it's longer than `limit` decompressed. `bytes`: how long
// it is, decompressed.
Status parse_message(Message message, MessageReader& reader, const Compressor* decompressor, size_t limit,
                     size_t& bytes);

// The same by a codec, whose errors are what it says; null: the message's own way.
Status parse_message(const Codec* codec, Message message, MessageReader& reader, const Compressor* decompressor,
                     size_t limit, size_t& bytes);

// The same, as bytes to keep.
Result<Bytes> take_message(MessageReader& reader, const Compressor* decompressor, size_t limit);

// Why the reader can't go on; `encoding` is what the server's headers named. Not for kMessage and
// kMore.
Status status_of_step(MessageReader::Step step, const MessageReader& reader, size_t limit, std::string_view encoding);

}  // namespace gaggle
