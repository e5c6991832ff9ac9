// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/base/ref.h"
#include "gaggle/base/status.h"
#include "gaggle/rpc/balancer/balancer.h"

namespace gaggle {

// The pickers that every policy needs beside its own.

// Calls wait for the next picker.
Ref<Picker> make_queue_picker();
// Calls fail with UNAVAILABLE and the words of `status`, unless they wait for readiness.
Ref<Picker> make_fail_picker(Status status);
// Calls end with `status`, those that wait for readiness, too.
Ref<Picker> make_drop_picker(Status status);

}  // namespace gaggle
