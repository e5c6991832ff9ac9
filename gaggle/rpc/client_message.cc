// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_message.h"

#include <string>
#include <utility>

#include "gaggle/rpc/codec.h"

namespace gaggle {

Status measure_message(ConstMessage message, size_t limit, size_t& size) {
  if (!message.type->byte_size(message.object, &size)) {
    return Status::internal("the request can't be encoded: a required field of " + std::string(message.type->name) +
                            " is missing");
  }
  // The prefix has four bytes for the length.
  if (size > limit || size > UINT32_MAX) {
    return Status::resource_exhausted("the message to send has " + std::to_string(size) + " bytes, the limit is " +
                                      std::to_string(limit));
  }
  return {};
}

Status parse_message(Message message, MessageReader& reader, const Compressor* decompressor, size_t limit,
                     size_t& bytes) {
  bool parsed = true;
  bytes = reader.message().size();
  if (reader.is_compressed()) {
    Result<Bytes> plain = decompress_message(reader, *decompressor, limit);
    if (!plain) return plain.error();
    bytes = plain->size();
    parsed = fill_message(message, std::move(*plain));
  } else if (message.type->adopt_bytes != nullptr) {
    message.type->adopt_bytes(message.object, reader.take_message());
  } else {
    parsed = message.type->parse(message.object, reader.message());
  }
  if (parsed) return {};
  return Status::internal("the server's message is no valid " + std::string(message.type->name));
}

Status parse_message(const Codec* codec, Message message, MessageReader& reader, const Compressor* decompressor,
                     size_t limit, size_t& bytes) {
  if (codec == nullptr) return parse_message(message, reader, decompressor, limit, bytes);
  Result<Bytes> taken = take_message(reader, decompressor, limit);
  if (!taken) return taken.error();
  bytes = taken->size();
  return unmarshal_with(*codec, *std::move(taken), message);
}

Result<Bytes> take_message(MessageReader& reader, const Compressor* decompressor, size_t limit) {
  if (!reader.is_compressed()) return reader.take_message();
  return decompress_message(reader, *decompressor, limit);
}

Status status_of_step(MessageReader::Step step, const MessageReader& reader, size_t limit, std::string_view encoding) {
  switch (step) {
    case MessageReader::Step::kTooLarge:
      return Status::resource_exhausted("the server's message has " + std::to_string(reader.declared_bytes()) +
                                        " bytes, the limit is " + std::to_string(limit));
    case MessageReader::Step::kCompressed:
      if (!encoding.empty()) {
        return Status::internal("the server compressed a message as \"" + std::string(encoding) +
                                "\", which this client can't read and hasn't offered");
      }
      return Status::internal("the server sent a compressed message, but its headers name no encoding");
    default: return Status::internal("the server's message has undefined flags");
  }
}

}  // namespace gaggle
