// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/message_coding.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace gaggle {
namespace {

// Shared bytes from this size on are queued as they are; fewer are cheaper to copy than a frame of their own.
constexpr size_t kSharedBytes = 4096;

// From this size on, not to copy a message pays.
constexpr size_t kPiecesBytes = 32 * 1024;

// On a stream, up to half of Limits::stream_queue_bytes is copied in the end.
constexpr size_t kLentBytes = 128 * 1024;

Bytes encode_plain(ConstMessage message, size_t size) {
  uint8_t* out = nullptr;
  Bytes bytes = Bytes::uninitialised(kMessagePrefixBytes + size, &out);
  message.type->serialize(message.object, write_message_prefix(out, size));
  return bytes;
}

const Bytes* tail_to_share(ConstMessage message) {
  if (message.type->shared_tail == nullptr) return nullptr;
  const Bytes* const tail = message.type->shared_tail(message.object);
  return tail != nullptr && tail->size() >= kSharedBytes ? tail : nullptr;
}

http2::SendResult send_in_two(http2::Connection& http2, http2::Stream& stream, ConstMessage message, size_t size,
                              const Bytes& tail, bool end_stream) {
  uint8_t* out = nullptr;
  Bytes head = Bytes::uninitialised(kMessagePrefixBytes + size - tail.size(), &out);
  message.type->serialize_head(message.object, write_message_prefix(out, size));
  if (http2.send_data(stream, std::move(head), false) == http2::SendResult::kEnded) return http2::SendResult::kEnded;
  return http2.send_data(stream, tail, end_stream);
}

}  // namespace

Bytes encode_message(ConstMessage message, size_t size, const Compressor* compressor) {
  if (compressor == nullptr || size == 0) return encode_plain(message, size);
  const Bytes plain = encode_plain(message, size);
  std::string packed(kMessagePrefixBytes, '\0');
  try {
    if (!compressor->compress(plain.span().subspan(kMessagePrefixBytes), packed)) return plain;
  } catch (...) {
    return plain;
  }
  if (packed.size() >= plain.size()) return plain;
  write_message_prefix(reinterpret_cast<uint8_t*>(packed.data()), packed.size() - kMessagePrefixBytes, true);
  return Bytes::take(std::move(packed));
}

http2::SendResult send_message(http2::Connection& http2, http2::Stream& stream, ConstMessage message, size_t size,
                               bool end_stream) {
  if (const Bytes* const tail = tail_to_share(message)) {
    return send_in_two(http2, stream, message, size, *tail, end_stream);
  }
  if (uint8_t* const place = http2.reserve_data(stream, kMessagePrefixBytes + size, end_stream)) {
    message.type->serialize(message.object, write_message_prefix(place, size));
    return http2::SendResult::kOk;
  }
  return http2.send_data(stream, encode_message(message, size), end_stream);
}

bool is_sent_as_it_lies(ConstMessage message, size_t size) noexcept {
  return size >= kPiecesBytes && message.type->pieces != nullptr;
}

bool is_lent_to_stream(ConstMessage message, size_t size) noexcept {
  return size >= kLentBytes && message.type->pieces != nullptr;
}

http2::SendResult send_as_it_lies(http2::Connection& http2, http2::Stream& stream, ConstMessage message, size_t size,
                                  const Bytes& owner, bool end_stream) {
  std::array<uint8_t, kMessagePrefixBytes> prefix;
  write_message_prefix(prefix.data(), size);
  std::vector<Bytes> pieces = message.type->pieces(message.object, owner, prefix);
  http2::SendResult result = http2::SendResult::kOk;
  for (Bytes& piece : pieces) {
    result = http2.send_data(stream, std::move(piece), end_stream && &piece == &pieces.back());
    if (result == http2::SendResult::kEnded) break;
  }
  return result;
}

Result<Bytes> decompress_message(const MessageReader& reader, const Compressor& compressor, size_t limit) {
  if (reader.message().empty()) return Bytes{};
  std::string plain;
  try {
    if (Status failed = compressor.decompress(reader.message(), limit, plain); !failed) return failed;
  } catch (...) {
    return Status::internal("the decompressor threw an exception");
  }
  if (plain.size() > limit) {
    return Status::resource_exhausted("decompressed, the message has more than " + std::to_string(limit) + " bytes");
  }
  return Bytes::take(std::move(plain));
}

bool fill_message(Message message, Bytes&& encoded) {
  if (message.type->adopt_bytes == nullptr) return message.type->parse(message.object, encoded.span());
  message.type->adopt_bytes(message.object, std::move(encoded));
  return true;
}

}  // namespace gaggle
