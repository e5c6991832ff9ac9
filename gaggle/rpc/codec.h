// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "gaggle/base/bytes.h"
#include "gaggle/base/result.h"
#include "gaggle/rpc/message.h"

namespace gaggle {

// A way to write messages down, known to both ends by the subtype of the content-type:
// "application/grpc+json" is the codec "json".
//
// Without one, messages write themselves (MessageType): protobuf messages as protobuf, Bytes as they
// are; that is the subtype "proto", and what no subtype at all means. A codec gets messages of every
// type that the methods of its calls have, and says INTERNAL of those that it can't handle; one for
// protobuf messages looks into them by protobuf_message() (protobuf.h). Compression and the limits on
// sizes apply to what it makes. Errors and exceptions of it end the call, exceptions as INTERNAL.
// Threads: all functions at the same time, from any thread; one object serves every call of a
// connection or a server. It must not wait for anything.
//
//   class JsonCodec final : public Codec {
//     std::string_view name() const noexcept override { return "json"; }
//     Result<Bytes> marshal(ConstMessage message) const override;
//     Status unmarshal(Bytes encoded, Message message) const override;
//   };
class Codec {
 public:
  virtual ~Codec() = default;

  // The subtype: lower-case letters, digits, '-', '_', '.'. Always the same. Empty: it goes by none,
  // and can only be forced (CallOptions::codec, ServerOptions::codec).
  virtual std::string_view name() const noexcept = 0;
  virtual Result<Bytes> marshal(ConstMessage message) const = 0;
  // Fills `message`, which is empty or what an earlier call left.
  virtual Status unmarshal(Bytes encoded, Message message) const = 0;
};

// What messages do without a codec, as one: "proto".
const Codec& proto_codec() noexcept;

// Raw bytes, whatever they are: takes messages of type Bytes only. It has no name of its own; forced
// on a server, it answers every subtype, which is what a proxy wants.
const Codec& bytes_codec() noexcept;

// The codecs of a connection or a server. Filled by one thread before it's given to one of them,
// constant from then on; it must outlive whoever was given it.
class CodecRegistry {
 public:
  // INVALID_ARGUMENT for a name that can't travel, ALREADY_EXISTS for one that there is already;
  // "proto" is always there.
  Status add(std::unique_ptr<Codec> codec);

  // Null when there is none for that subtype. Case doesn't matter; an empty subtype is "proto".
  const Codec* find(std::string_view subtype) const noexcept;

 private:
  std::vector<std::unique_ptr<Codec>> codecs_;
};

// Whether a content-type can have this subtype: letters, digits and "-_.", at least one.
bool is_content_subtype(std::string_view subtype) noexcept;

// `codec` at work, with its exceptions turned into statuses.
Result<Bytes> marshal_with(const Codec& codec, ConstMessage message);
Status unmarshal_with(const Codec& codec, Bytes encoded, Message message);

}  // namespace gaggle
