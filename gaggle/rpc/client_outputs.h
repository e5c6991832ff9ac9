// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "gaggle/base/status.h"
#include "gaggle/http2/header_block.h"
#include "gaggle/rpc/call_options.h"

namespace gaggle {

// Fills what the options point to of header and trailer, each from a block that may be null, when it
// was empty. INTERNAL when the server's metadata can't be decoded.
Status fill_outputs(const CallOptions& options, const http2::HeaderBlock* headers, const http2::HeaderBlock* trailers);

// Notes for CallOption::after what came on a call's last attempt; the blocks may be null.
void note_answer(CallRecord& record, uint32_t attempts, const http2::HeaderBlock* headers,
                 const http2::HeaderBlock* trailers);

// The connection's defaults with what the call wants changed; of the outputs, the call's only. The
// defaults' metadata and hooks are applied separately, before the call's.
CallOptions combine_options(const CallOptions& defaults, const CallOptions& call);

}  // namespace gaggle
