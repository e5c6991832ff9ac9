// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/codec.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gaggle/rpc/message_coding.h"
#include "gaggle/rpc/wire_request.h"

namespace gaggle {
namespace {

bool is_bytes(ConstMessage message) noexcept { return message.type == message_type<Bytes>(); }
Bytes bytes_of(ConstMessage message) noexcept { return *static_cast<const Bytes*>(message.object); }

class ProtoCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "proto"; }

  Result<Bytes> marshal(ConstMessage message) const override {
    if (is_bytes(message)) return bytes_of(message);
    size_t size = 0;
    if (!message.type->byte_size(message.object, &size)) {
      return Status::internal("the message can't be encoded: a required field of " + std::string(message.type->name) +
                              " is missing, or it is too large");
    }
    uint8_t* out = nullptr;
    Bytes encoded = Bytes::uninitialised(size, &out);
    message.type->serialize(message.object, out);
    return encoded;
  }

  Status unmarshal(Bytes encoded, Message message) const override {
    if (fill_message(message, std::move(encoded))) return {};
    return Status::internal("the message is no valid " + std::string(message.type->name));
  }
};

class BytesCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return {}; }

  Result<Bytes> marshal(ConstMessage message) const override {
    if (!is_bytes(message)) return no_bytes(message);
    return bytes_of(message);
  }

  Status unmarshal(Bytes encoded, Message message) const override {
    if (!is_bytes(message)) return no_bytes(message);
    *static_cast<Bytes*>(message.object) = std::move(encoded);
    return {};
  }

 private:
  static Status no_bytes(ConstMessage message) {
    return Status::internal("the codec of raw bytes can't handle " + std::string(message.type->name));
  }
};

Status threw(const Codec& codec) {
  return Status::internal("the codec \"" + std::string(codec.name()) + "\" threw an exception");
}

}  // namespace

const Codec& proto_codec() noexcept {
  static const ProtoCodec codec;
  return codec;
}

const Codec& bytes_codec() noexcept {
  static const BytesCodec codec;
  return codec;
}

bool is_content_subtype(std::string_view subtype) noexcept {
  return !subtype.empty() && std::ranges::all_of(subtype, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

Status CodecRegistry::add(std::unique_ptr<Codec> codec) {
  const std::string_view name = codec != nullptr ? codec->name() : std::string_view{};
  if (!is_content_subtype(name) || name != wire::lower_case(name)) {
    return Status::invalid_argument("a codec's name has lower-case letters, digits and -_.");
  }
  if (find(name) != nullptr) return Status(StatusCode::kAlreadyExists, "there is a codec " + std::string(name));
  codecs_.push_back(std::move(codec));
  return {};
}

const Codec* CodecRegistry::find(std::string_view subtype) const noexcept {
  if (subtype.empty() || wire::same_subtype(subtype, "proto")) return &proto_codec();
  for (const auto& codec : codecs_) {
    if (wire::same_subtype(subtype, codec->name())) return codec.get();
  }
  return nullptr;
}

Result<Bytes> marshal_with(const Codec& codec, ConstMessage message) {
  try {
    return codec.marshal(message);
  } catch (...) {
    return threw(codec);
  }
}

Status unmarshal_with(const Codec& codec, Bytes encoded, Message message) {
  try {
    return codec.unmarshal(std::move(encoded), message);
  } catch (...) {
    return threw(codec);
  }
}

}  // namespace gaggle
