// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_codec.h"

#include <string>

#include "gaggle/rpc/client_channel.h"

namespace gaggle {

Status choose_codec(const ClientChannel& channel, CallOptions& options, const Codec*& codec) {
  codec = options.codec;
  if (codec != nullptr && options.content_subtype.empty()) options.content_subtype = codec->name();
  const std::string_view subtype = options.content_subtype;
  if (!subtype.empty() && !is_content_subtype(subtype)) {
    return Status::internal("\"" + std::string(subtype) + "\" can't be a content-subtype");
  }
  if (codec == nullptr) {
    const CodecRegistry* const known = channel.options().codecs;
    codec = known != nullptr ? known->find(subtype) : CodecRegistry().find(subtype);
  }
  if (codec == nullptr) return Status::internal("the connection has no codec \"" + std::string(subtype) + "\"");
  if (codec == &proto_codec()) codec = nullptr;
  return {};
}

}  // namespace gaggle
