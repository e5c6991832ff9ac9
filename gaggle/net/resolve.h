// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gaggle/base/result.h"
#include "gaggle/net/address.h"
#include "gaggle/net/task.h"

namespace gaggle {

class Loop;

// The numeric TCP addresses of `host`, best first, as ask_dns() (dns.h) finds them. Awaited on
// `loop`'s thread. A numeric host is returned at once.
//
// UNAVAILABLE when the name has no address or DNS fails; CANCELLED when the awaiting task is
// cancelled.
Task<Result<std::vector<Address>>> resolve(Loop& loop, std::string host, uint16_t port);

}  // namespace gaggle
