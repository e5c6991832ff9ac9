// SPDX-License-Identifier: Apache-2.0
//
// What the abuse bucket is charged for that takes more than one line to say.
#include "gaggle/http2/connection.h"

namespace gaggle::http2 {

void Connection::charge(int64_t tenths) {
  const int64_t before = abuse_.charged_tenths();
  settle_charge(abuse_.charge(tenths), before);
}

// Paid back when a stream completes, if one does.
void Connection::charge_reset(int64_t tenths) {
  const int64_t before = abuse_.charged_tenths();
  settle_charge(abuse_.charge_reset(tenths), before);
}

// A client may send HEADERS and RST_STREAM as fast as it can write, if nothing happens between them.
void Connection::charge_peer_reset(uint32_t stream_id) {
  const Stream* const stream = streams_.find(stream_id);
  const bool waits = stream != nullptr && stream->early() != nullptr;
  if (stream_id > last_id_before_turn_ || waits) return charge_reset(AbuseBucket::kToken);
  // It crossed our answer, or comes again.
  if (stream == nullptr || stream->is_over()) charge_reset(1);
}

// Whole tokens are counted.
void Connection::settle_charge(bool paid, int64_t charged_before) {
  tallies_.abuse_charges.add(abuse_.charged_tenths() / AbuseBucket::kToken - charged_before / AbuseBucket::kToken);
  if (paid || failed_) return;
  ++tallies_.abuse_closes;
  fail(ErrorCode::kEnhanceYourCalm, "too much work for nothing");
}

void Connection::charge_window_update() {
  if (--free_window_updates_ < 0) charge(AbuseBucket::kToken);
}

}  // namespace gaggle::http2
