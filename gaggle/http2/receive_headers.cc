// SPDX-License-Identifier: Apache-2.0
//
// Header blocks: joined from their frames, decoded, checked, and told to the layer above. A block
// is decoded whatever becomes of its stream, for both ends must keep the same dynamic table.
#include <utility>

#include "gaggle/http2/connection.h"
#include "gaggle/http2/message_rules.h"

namespace gaggle::http2 {

namespace {
constexpr uint32_t kPriorityBytes = 5;
}  // namespace

void Connection::handle_headers(const FrameHeader& frame, const uint8_t* payload) {
  // RFC 9113 §5.1.1: clients begin streams with odd ids, and servers don't begin any here.
  if (role_ == Role::kServer ? frame.stream_id % 2 == 0 : is_idle(frame.stream_id)) {
    return fail(ErrorCode::kProtocolError, "HEADERS on a stream that the peer cannot begin");
  }
  uint32_t before = 0;
  uint32_t padding = 0;
  if (frame.has(FrameFlag::kPadded)) {
    if (frame.length < 1) return fail(ErrorCode::kFrameSizeError, "HEADERS too short for its flags");
    padding = payload[0];
    before = 1;
  }
  if (frame.has(FrameFlag::kPriority)) before += kPriorityBytes;
  if (frame.length < before) return fail(ErrorCode::kFrameSizeError, "HEADERS too short for its flags");
  // §6.2: "Padding that exceeds the size remaining for the field block fragment MUST be treated as
  // a PROTOCOL_ERROR."
  if (padding > frame.length - before) return fail(ErrorCode::kProtocolError, "more padding than HEADERS has room for");
  const std::span<const uint8_t> fragment(payload + before, frame.length - before - padding);
  const bool end_stream = frame.has(FrameFlag::kEndStream);
  if (frame.has(FrameFlag::kEndHeaders)) return finish_block(frame.stream_id, fragment, end_stream);
  block_ = std::make_unique<OpenBlock>();
  block_->stream_id = frame.stream_id;
  block_->end_stream = end_stream;
  extend_block(fragment);
}

void Connection::handle_continuation(const FrameHeader& frame, const uint8_t* payload) {
  if (++block_->continuations > options_.limits.continuations) return continuation_flood();
  extend_block({payload, frame.length});
  if (failed_ || !frame.has(FrameFlag::kEndHeaders)) return;
  const std::unique_ptr<OpenBlock> block = std::move(block_);
  finish_block(block->stream_id, block->bytes.bytes(), block->end_stream);
}

void Connection::extend_block(std::span<const uint8_t> fragment) {
  if (block_->bytes.size() + fragment.size() > options_.limits.header_block_bytes) return continuation_flood();
  block_->bytes.append(fragment);
}

void Connection::continuation_flood() {
  ++tallies_.continuation_floods;
  fail(ErrorCode::kEnhanceYourCalm, "header block of too many frames or bytes");
}

void Connection::finish_block(uint32_t stream_id, std::span<const uint8_t> bytes, bool end_stream) {
  HeaderBlockRef block;
  const HpackError error = decoder_.decode(bytes, block);
  // RFC 9113 §4.3: "A decoding error in a field block MUST be treated as a connection error of type
  // COMPRESSION_ERROR."
  if (error != HpackError::kOk) return fail(ErrorCode::kCompressionError, describe(error));
  traffic_since_ping_ = true;
  if (block->over_soft_limit()) ++tallies_.large_headers;
  if (block->is_truncated()) ++tallies_.truncated_headers;
  if (role_ == Role::kServer && stream_id > last_peer_id_)
    return handle_request(stream_id, std::move(block), end_stream);

  Stream* const stream = streams_.find(stream_id);
  if (stream == nullptr || stream->is_over()) return handle_late_block(stream_id, bytes.size());
  // §5.1, half-closed (remote): "If an endpoint receives additional frames, other than
  // WINDOW_UPDATE, PRIORITY, or RST_STREAM, […] it MUST respond with a stream error of type
  // STREAM_CLOSED."
  if (stream->remote_closed()) return stream_error(stream_id, ErrorCode::kStreamClosed);
  if (!stream->headers_received_) return handle_response(*stream, std::move(block), end_stream);
  handle_trailers(*stream, std::move(block), end_stream);
}

void Connection::handle_request(uint32_t stream_id, HeaderBlockRef block, bool end_stream) {
  history_.opened(stream_id);
  last_peer_id_ = stream_id;
  // §6.8: streams above the last one of our GOAWAY are ignored.
  if (stream_id > accepted_id_) return ignore_from_now(stream_id, local_window_bytes_);
  // §5.1.2: REFUSED_STREAM tells the client that it may try again.
  if (open_streams_ >= options_.limits.max_concurrent_streams) return refuse(stream_id);
  const bool wait = !waiting_.empty() || used_slots_ >= options_.limits.max_concurrent_streams;
  if (wait && waiting_.size() >= slot_queue_limit()) return refuse(stream_id);

  const MessageRules rules = check_request(*block);
  if (!rules.well_formed()) return malformed(stream_id);
  // §8.1.1: a content-length that differs from the sum of the DATA makes the request malformed.
  if (end_stream && rules.content_length > 0) return malformed(stream_id);

  Stream& stream = accept(stream_id);
  stream.headers_received_ = true;
  stream.declare_content(rules.content_length);
  if (end_stream) stream.end_remote();
  if (wait) {
    ++tallies_.queued_streams;
    stream.extras().early = std::make_unique<Stream::EarlyInput>();
    stream.early()->headers = std::move(block);
    waiting_.push_back(stream);
  } else {
    take_slot(stream);
    events_.on_headers(stream, std::move(block), end_stream);
  }
}

void Connection::handle_response(Stream& stream, HeaderBlockRef block, bool end_stream) {
  const MessageRules rules = check_response(*block);
  // §8.1: "An endpoint that receives a HEADERS frame without the END_STREAM flag set after
  // receiving the HEADERS frame that opens a request or after receiving a final (non-informational)
  // status code MUST treat the corresponding request or response as malformed"; and an
  // informational one can't end the stream.
  if (!rules.well_formed() || (rules.informational() && end_stream)) return malformed(stream.id_);
  if (rules.informational()) {
    ++tallies_.informational_responses;
    return charge(AbuseBucket::kToken);
  }
  // A 304 declares the length that a 200 would have had.
  const bool declares = rules.status != 304;
  if (end_stream && declares && rules.content_length > 0) return malformed(stream.id_);
  stream.headers_received_ = true;
  if (declares) stream.declare_content(rules.content_length);
  if (end_stream) end_remote(stream);
  events_.on_headers(stream, std::move(block), end_stream);
}

void Connection::handle_trailers(Stream& stream, HeaderBlockRef block, bool end_stream) {
  const bool complete = stream.take_declared(0, true);
  if (!end_stream || !complete || !check_trailers(*block).well_formed()) return malformed(stream.id_);
  // Whoever let go of the stream has no use for the rest, only for its end.
  const bool deliver = !stream.released_;
  if (Stream::EarlyInput* const early = stream.early()) {
    early->trailers = std::move(block);
    return end_remote(stream);
  }
  end_remote(stream);
  if (deliver) events_.on_trailers(stream, std::move(block));
}

void Connection::malformed(uint32_t stream_id) {
  ++tallies_.malformed_messages;
  stream_error(stream_id, ErrorCode::kProtocolError);
}

void Connection::refuse(uint32_t stream_id) {
  ++tallies_.refused_streams;
  stream_error(stream_id, ErrorCode::kRefusedStream);
}

// A header block for a stream that isn't there any more.
void Connection::handle_late_block(uint32_t stream_id, size_t bytes) {
  switch (history_.past(stream_id)) {
    case StreamHistory::Past::kResetByUs:
    case StreamHistory::Past::kForgotten: return take_late_allowance(bytes);
    case StreamHistory::Past::kSkipped:
      // §5.1.1: "The identifier of a newly established stream MUST be numerically greater than all
      // streams that the initiating endpoint has opened or reserved."
      return fail(ErrorCode::kProtocolError, "stream id lower than the last");
    case StreamHistory::Past::kEnded: return fail(ErrorCode::kStreamClosed, "HEADERS on a closed stream");
  }
}

}  // namespace gaggle::http2
