// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gaggle {

// What one message of a stream wants different from its call.
struct SendOptions {
  // False: this message travels as it is, on a call that compresses. For what is compressed already,
  // and for secrets beside text that an attacker chooses (CRIME, BREACH).
  bool compress = true;
};

}  // namespace gaggle
