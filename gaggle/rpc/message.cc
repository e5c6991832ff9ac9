// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/message.h"

#include <cstring>
#include <utility>

namespace gaggle {

// The raw form of a method: a message *is* its encoding.
constinit const MessageType kBytesMessageType = {
    .name = "bytes",
    .create = [] { return static_cast<void*>(new Bytes); },
    .destroy = [](void* object) noexcept { delete static_cast<Bytes*>(object); },
    .clear = [](void* object) noexcept { *static_cast<Bytes*>(object) = Bytes{}; },
    .byte_size =
        [](const void* object, size_t* size) {
          *size = static_cast<const Bytes*>(object)->size();
          return true;
        },
    .serialize =
        [](const void* object, uint8_t* out) {
          const Bytes& bytes = *static_cast<const Bytes*>(object);
          if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
        },
    .parse =
        [](void* object, std::span<const uint8_t> encoded) {
          *static_cast<Bytes*>(object) = Bytes::copy_of(encoded);
          return true;
        },
    .shared_tail = [](const void* object) { return static_cast<const Bytes*>(object); },
    .serialize_head = [](const void*, uint8_t*) {},
    .adopt_bytes = [](void* object, Bytes&& encoded) { *static_cast<Bytes*>(object) = std::move(encoded); },
};

}  // namespace gaggle
