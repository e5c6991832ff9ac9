// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/message_coding.h"

#include <string>
#include <utility>

namespace gaggle {
namespace {

Bytes encode_plain(ConstMessage message, size_t size) {
  uint8_t* out = nullptr;
  Bytes bytes = Bytes::uninitialised(kMessagePrefixBytes + size, &out);
  message.type->serialize(message.object, write_message_prefix(out, size));
  return bytes;
}

}  // namespace

Bytes encode_message(ConstMessage message, size_t size, const Compressor* compressor) {
  if (compressor == nullptr || size == 0) return encode_plain(message, size);
  const Bytes plain = encode_plain(message, size);
  std::string packed(kMessagePrefixBytes, '\0');
  if (!compressor->compress(plain.span().subspan(kMessagePrefixBytes), packed)) return plain;
  if (packed.size() >= plain.size()) return plain;
  write_message_prefix(reinterpret_cast<uint8_t*>(packed.data()), packed.size() - kMessagePrefixBytes, true);
  return Bytes::take(std::move(packed));
}

Result<Bytes> decompress_message(const MessageReader& reader, const Compressor& compressor, size_t limit) {
  if (reader.message().empty()) return Bytes{};
  std::string plain;
  if (Status failed = compressor.decompress(reader.message(), limit, plain); !failed) return failed;
  return Bytes::take(std::move(plain));
}

bool fill_message(Message message, Bytes&& encoded) {
  if (message.type->adopt_bytes == nullptr) return message.type->parse(message.object, encoded.span());
  message.type->adopt_bytes(message.object, std::move(encoded));
  return true;
}

}  // namespace gaggle
