// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "gaggle/base/bytes.h"
#include "gaggle/base/result.h"
#include "gaggle/http2/connection.h"
#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/framing.h"
#include "gaggle/rpc/message.h"

namespace gaggle {

// Messages between their objects and their bytes on the wire, with compression: what client and
// server have in common. Calls without compression take shorter ways that copy less.

// The message with its prefix. `size` is what its type's byte_size has just said. With a compressor
// it's compressed if that makes it smaller; if not, and when it is empty, it travels as it is.
Bytes encode_message(ConstMessage message, size_t size, const Compressor* compressor = nullptr);

// Queues the message uncompressed: straight into the output if there is room; its shared bytes without
// a copy, when there are enough of them. `size` as above.
http2::SendResult send_message(http2::Connection& http2, http2::Stream& stream, ConstMessage message, size_t size,
                               bool end_stream);

// Whether a message of this size is better sent as it lies in memory than copied: from here on that is worth the
// pieces, and that its object isn't used again before they have left.
bool is_sent_as_it_lies(ConstMessage message, size_t size) noexcept;
// The same for a message on a stream, whose sender waits until most of it has left; the rest is copied then.
bool is_lent_to_stream(ConstMessage message, size_t size) noexcept;
// Queues it so, uncompressed. The object has to live, and not to change, as long as `owner` or a copy of it.
http2::SendResult send_as_it_lies(http2::Connection& http2, http2::Stream& stream, ConstMessage message, size_t size,
                                  const Bytes& owner, bool end_stream);

// The reader's latest message, which is compressed, decompressed: RESOURCE_EXHAUSTED beyond `limit`,
// INTERNAL when it can't be. No bytes at all stand for no bytes, whatever the encoding: senders that
// set the flag for every message of a call are understood.
Result<Bytes> decompress_message(const MessageReader& reader, const Compressor& compressor, size_t limit);

// Fills `message`; false when the bytes aren't a valid encoding of it.
bool fill_message(Message message, Bytes&& encoded);

}  // namespace gaggle
