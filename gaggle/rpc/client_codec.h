// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/base/status.h"
#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/codec.h"

namespace gaggle {

class ClientChannel;

// Codecs stand outside of a client's calls: on the caller's thread, messages become bytes before the
// call sees them and bytes messages when it has ended, so that calls know of the content-type only.

inline bool wants_codec(const CallOptions& options) noexcept {
  return options.codec != nullptr || !options.content_subtype.empty();
}

// The codec that the options name: null for the messages' own way. Gives the options the subtype that
// the server is told. INTERNAL when there is none of that name.
Status choose_codec(const ClientChannel& channel, CallOptions& options, const Codec*& codec);

}  // namespace gaggle
