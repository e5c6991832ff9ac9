// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "gaggle/base/status.h"

namespace gaggle {

// INTERNAL, with the words of the exception that is being handled: what the runtime makes of one that
// comes out of users' code on a client. `who` threw it: "the picker". Within a catch block only.
Status status_of_thrown(std::string_view who) noexcept;

}  // namespace gaggle
