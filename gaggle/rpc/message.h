// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gaggle/base/bytes.h"

namespace gaggle {

// What the runtime needs to know of a message's C++ type, as a table of functions.
//
// One constant table per type: `message_type<T>()` gives it, for protobuf messages from
// gaggle/rpc/protobuf.h and for Bytes (the raw form of a method) from here. Generated code names
// the tables; the runtime itself never sees protobuf.
struct MessageType {
  std::string_view name;
  void* (*create)();
  void (*destroy)(void* object) noexcept;
  void (*clear)(void* object) noexcept;  // empty again, storage kept for the next use

  // The encoded size; `serialize` comes right after it, writes exactly so many bytes, and may rely
  // on what byte_size computed. False: the message can't be encoded (a required field is missing).
  bool (*byte_size)(const void* object, size_t* size);
  void (*serialize)(const void* object, uint8_t* out);
  // False when `encoded` isn't a valid encoding; the object is then in an unspecified valid state.
  bool (*parse)(void* object, std::span<const uint8_t> encoded);

  // Set only by types whose encoding ends with bytes that are shared rather than copied: those bytes, or
  // null when this message has none. `serialize_head`, set with it, writes what stands before them.
  // All of a message's encoding, in the raw form; the value, in a cache's answer.
  const Bytes* (*shared_tail)(const void* object) = nullptr;
  void (*serialize_head)(const void* object, uint8_t* out) = nullptr;
  // Set only by types whose large fields needn't be copied to be sent; right after byte_size. The pieces, together,
  // are `prefix` and the encoding; those that lie in the object are siblings of `owner`.
  std::vector<Bytes> (*pieces)(const void* object, const Bytes& owner, std::span<const uint8_t> prefix) = nullptr;
  // Set only by types that keep the bytes they are parsed from: used in place of `parse`.
  void (*adopt_bytes)(void* object, Bytes&& encoded) = nullptr;

  // For codecs that look into messages: the object as a base class that all types of its kind have, and
  // which kind that is, an address. Null for types of no kind. See protobuf_message() in protobuf.h.
  const void* kind = nullptr;
  void* (*as_kind)(void* object) noexcept = nullptr;
};

// A message of any type, to read. Two words, owns nothing.
struct ConstMessage {
  const MessageType* type = nullptr;
  const void* object = nullptr;
};

// A message of any type, to change. Two words, owns nothing.
struct Message {
  const MessageType* type = nullptr;
  void* object = nullptr;
  operator ConstMessage() const noexcept { return {type, object}; }
};

// Finds the table of a message type: specialise it, with `static constexpr const MessageType* get()`,
// for messages of another kind. A template class, so that one partial specialisation serves a whole
// family of types; the one for protobuf is in protobuf.h.
template <class T>
struct MessageTypeOf;

extern const MessageType kBytesMessageType;

template <>
struct MessageTypeOf<Bytes> {
  static constexpr const MessageType* get() noexcept { return &kBytesMessageType; }
};

// The table of a message type; the address is constant for the life of the program.
template <class T>
constexpr const MessageType* message_type() noexcept {
  return MessageTypeOf<T>::get();
}

template <class T>
Message message_of(T& object) noexcept {
  return {message_type<T>(), &object};
}
template <class T>
ConstMessage message_of(const T& object) noexcept {
  return {message_type<T>(), &object};
}

}  // namespace gaggle
