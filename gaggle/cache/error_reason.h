// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "gaggle/base/status.h"

namespace gaggle::cache {

// The domain of the cache's reasons, as `google.rpc.ErrorInfo` means it.
inline constexpr std::string_view kErrorDomain = "gaggle.cache";
// The node that was asked doesn't have the group: it's misconfigured, which isn't a missing key.
inline constexpr std::string_view kUnknownGroup = "UNKNOWN_GROUP";

// A status whose details carry a `google.rpc.ErrorInfo` with the reason and kErrorDomain.
Status status_with_reason(StatusCode code, std::string_view message, std::string_view reason);

// The reason of the cache's own domain in a status, or empty: details that are absent, corrupt or
// of another domain have none.
std::string reason_of(const Status& status);

}  // namespace gaggle::cache
