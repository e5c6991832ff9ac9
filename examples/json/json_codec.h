// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/rpc/codec.h"

// Protobuf messages as JSON, "application/grpc+json": for people who read along, and for peers that
// have no protobuf. Fields that it doesn't know are an error, as protobuf's JSON mapping wants it.
//
// Add it to a CodecRegistry for ServerOptions::codecs; a client names it, `.content_subtype = "json"`,
// after adding it to ClientConnOptions::codecs, or forces it, `.codec = &json`.
class JsonCodec final : public gaggle::Codec {
 public:
  std::string_view name() const noexcept override { return "json"; }
  gaggle::Result<gaggle::Bytes> marshal(gaggle::ConstMessage message) const override;
  gaggle::Status unmarshal(gaggle::Bytes encoded, gaggle::Message message) const override;
};
