// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message_lite.h>

#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gaggle/rpc/message.h"

namespace gaggle {

namespace internal {

// The C++ name of T, out of what the compiler calls this function: "... T = groupcachepb::Request; ...".
template <class T>
constexpr std::string_view cpp_type_name() {
  constexpr std::string_view kMark = "T = ";
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find(kMark) + kMark.size());
  return text.substr(0, text.find_first_of(";]"));
}

// MessageType::pieces of protobuf messages.
std::vector<Bytes> pieces_of_protobuf(const google::protobuf::MessageLite& message, const Bytes& owner,
                                      std::span<const uint8_t> prefix);

// Its address is the kind of all protobuf messages.
inline constexpr char kProtobufKind = 0;

}  // namespace internal

// Makes protobuf messages messages of the runtime: include it and `message_of(request)` works.
//
// Full and lite messages alike. Unknown fields survive decoding and encoding. A message nested deeper
// than protobuf's limit (100), a proto2 message without a required field, and one of 2 GiB or more
// are refused, in both directions.
template <class T>
  requires std::derived_from<T, google::protobuf::MessageLite>
struct MessageTypeOf<T> {
  static constexpr const MessageType* get() noexcept { return &kTable; }

 private:
  static constexpr size_t kMaxBytes = INT32_MAX;  // protobuf counts in int

  static const T& message(const void* object) noexcept { return *static_cast<const T*>(object); }

  static bool byte_size(const void* object, size_t* size) {
    if (!message(object).IsInitialized()) return false;
    *size = message(object).ByteSizeLong();
    return *size <= kMaxBytes;
  }

  // byte_size has left the sizes of all sub-messages in them.
  static void serialize(const void* object, uint8_t* out) { message(object).SerializeWithCachedSizesToArray(out); }

  // "Partial" only in name: what ParseFromArray does besides is to write to standard error.
  static bool parse(void* object, std::span<const uint8_t> encoded) {
    if (encoded.size() > kMaxBytes) return false;
    T& result = *static_cast<T*>(object);
    return result.ParsePartialFromArray(encoded.data(), static_cast<int>(encoded.size())) && result.IsInitialized();
  }

  static std::vector<Bytes> pieces(const void* object, const Bytes& owner, std::span<const uint8_t> prefix) {
    return internal::pieces_of_protobuf(message(object), owner, prefix);
  }

  static constexpr MessageType kTable = {
      .name = internal::cpp_type_name<T>(),
      .create = [] { return static_cast<void*>(new T); },
      .destroy = [](void* object) noexcept { delete static_cast<T*>(object); },
      .clear = [](void* object) noexcept { static_cast<T*>(object)->Clear(); },
      .byte_size = byte_size,
      .serialize = serialize,
      .parse = parse,
      .pieces = pieces,
      .kind = &internal::kProtobufKind,
      .as_kind = [](void* object) noexcept -> void* {
        return static_cast<google::protobuf::MessageLite*>(static_cast<T*>(object));
      },
  };
};

// The protobuf message that `message` is, for codecs; null when it's something else (raw bytes). Unless
// it was generated with the lite runtime, it is a google::protobuf::Message, too.
inline google::protobuf::MessageLite* protobuf_message(Message message) noexcept {
  if (message.type->kind != &internal::kProtobufKind) return nullptr;
  return static_cast<google::protobuf::MessageLite*>(message.type->as_kind(message.object));
}
inline const google::protobuf::MessageLite* protobuf_message(ConstMessage message) noexcept {
  // Only to change the pointer's type.
  return protobuf_message(Message{message.type, const_cast<void*>(message.object)});
}

}  // namespace gaggle
