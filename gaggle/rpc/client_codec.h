// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/base/status.h"
#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/codec.h"

namespace gaggle {

class ClientChannel;

// A client's codecs: on the caller's thread, messages become bytes before the call sees them, so that what
// can't be encoded is never begun. What comes back is decoded within the call, on its loop: whoever hears of
// the call's end hears what the caller does.

inline bool wants_codec(const CallOptions& options) noexcept {
  return options.codec != nullptr || !options.content_subtype.empty();
}

// The codec that the options name: null for the messages' own way. Gives the options the subtype that
// the server is told. INTERNAL when there is none of that name.
Status choose_codec(const ClientChannel& channel, CallOptions& options, const Codec*& codec);

}  // namespace gaggle
