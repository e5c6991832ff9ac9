// SPDX-License-Identifier: Apache-2.0
//
// What the abuse bucket is charged for that takes more than one line to say.
#include "gaggle/http2/connection.h"

namespace gaggle::http2 {

namespace {
// Window updates that traffic calls for: a few at first, and two for each stream and for each frame
// of DATA that we sent, generously.
constexpr uint64_t kFreeWindowUpdates = 5;
constexpr uint64_t kPerStream = 2;
constexpr uint64_t kPerDataFrame = 20;
}  // namespace

void Connection::charge(int64_t tenths) { settle_charge(abuse_.charge(tenths)); }

// Paid back when a stream completes, if one does.
void Connection::charge_reset(int64_t tenths) { settle_charge(abuse_.charge_reset(tenths)); }

// A client may send HEADERS and RST_STREAM as fast as it can write, if nothing happens between them.
void Connection::charge_peer_reset(uint32_t stream_id) {
  const Stream* const stream = streams_.find(stream_id);
  const bool waits = stream != nullptr && stream->early_ != nullptr;
  if (stream_id > last_id_before_turn_ || waits) return charge_reset(AbuseBucket::kToken);
  // It crossed our answer, or comes again.
  if (stream == nullptr || stream->is_over()) charge_reset(1);
}

void Connection::settle_charge(bool paid) {
  counters_.abuse_charges = static_cast<uint64_t>(abuse_.charged_tenths() / AbuseBucket::kToken);
  if (paid || failed_) return;
  ++counters_.abuse_closes;
  fail(ErrorCode::kEnhanceYourCalm, "too much work for nothing");
}

void Connection::charge_window_update() {
  const uint64_t called_for =
      kFreeWindowUpdates + kPerStream * counters_.streams_opened + kPerDataFrame * counters_.data_frames_sent;
  if (++window_updates_ > called_for) charge(AbuseBucket::kToken);
}

}  // namespace gaggle::http2
