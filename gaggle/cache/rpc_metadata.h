// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "gaggle/base/clock.h"
#include "gaggle/cache/peer.h"

namespace gaggle {
class Metadata;
}

namespace gaggle::cache {

// The marks that questions and answers between nodes carry as metadata, and the time a value has
// left; rpc_peer.h says which. Both sides of a connection use these functions.

// INVALID_ARGUMENT when the address can't travel as metadata.
Status write_hop(const Hop& hop, Metadata& metadata);
// Null when the request wasn't forwarded. Marks that can't be read count as absent ones.
std::optional<Hop> read_hop(const Metadata& metadata);

// The trailer that makes an error the owner's word.
inline constexpr const char* kAnswerMark = "gaggle-answer";
bool is_authoritative(const Metadata& trailer);

// What is left at `now`, in milliseconds, rounded up, never below 0. `expiry` isn't kNever.
int64_t milliseconds_left(TimePoint expiry, TimePoint now) noexcept;
// The reverse, safe for whatever comes over the network.
TimePoint expiry_after(TimePoint now, int64_t milliseconds) noexcept;

}  // namespace gaggle::cache
