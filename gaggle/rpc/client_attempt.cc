// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_attempt.h"

#include <algorithm>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/client_call.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/client_response.h"
#include "gaggle/rpc/client_subconn.h"
#include "gaggle/rpc/client_tokens.h"
#include "gaggle/rpc/client_transport.h"
#include "gaggle/rpc/compressor.h"

namespace gaggle {
namespace {

// How much of an answer that isn't gRPC is kept for the error message.
constexpr size_t kMaxForeignBody = 1024;

// The end of a call doesn't depend on what the balancer makes of it.
void tell_done(std::move_only_function<void(const PickDone&)> done, const PickDone& event) noexcept {
  try {
    done(event);
  } catch (...) {
  }
}

}  // namespace

ClientAttempt::ClientAttempt(ClientCallBase& call) noexcept : call_(call) {}

ClientAttempt::~ClientAttempt() = default;

// --- From the wish to a place ---

void ClientAttempt::begin(uint32_t previous_attempts) {
  previous_attempts_ = previous_attempts;
  call_.count_attempt(previous_attempts);
  under_way_ = true;
  headers_ = nullptr;
  trailers_ = nullptr;
  foreign_body_.clear();
  if (call_.pinned() == nullptr) {
    ++call_.channel().counters().attempts;
    begin_stats(false);
  }
  call_.channel().place(*this);
}

void ClientAttempt::set_pick_done(std::move_only_function<void(const PickDone&)> done) {
  if (pick_done_) {
    tell_done(std::move(pick_done_), {Status::unavailable("the call went elsewhere: it was not processed")});
  }
  pick_done_ = std::move(done);
}

void ClientAttempt::go_to(ClientSubConn& subconn) {
  if (!call_.wants_tokens()) return subconn.place(*this);
  if (!fetch_) fetch_ = std::make_unique<TokenFetch>(*this);
  fetch_->begin(subconn);
}

void ClientAttempt::on_tokens(Status status, ClientSubConn& subconn) {
  if (!status) return fail(std::move(status));
  if (subconn.has_transport()) return subconn.place(*this);
  call_.channel().place(*this);
}

const CallTokens* ClientAttempt::tokens() const noexcept { return fetch_ ? &fetch_->tokens() : nullptr; }

bool ClientAttempt::waits_for_tokens() const noexcept { return fetch_ && fetch_->is_under_way(); }

void ClientAttempt::fail(Status status) { call_.attempt_failed(*this, std::move(status)); }

// --- On a stream ---

void ClientAttempt::open(ClientTransport& transport, http2::Stream& stream) {
  transport_ = &transport;
  stream_ = &stream;
  foreign_ = false;
  if (Status refused = call_.prepare_request(); !refused) return call_.finish(std::move(refused));
  if (stats_) {
    if (const Status bad = stats_.added().check(); !bad) return call_.finish(Status::internal(bad.message()));
  }
  if (!send_headers()) return;
  if (stats_) {
    const Compressor* const compressor = call_.compressor();
    stats_.header_sent(*transport.stats(), compressor != nullptr ? compressor->name() : std::string_view{});
  }
  call_.send_request(*this);
  if (stream_ == nullptr) return;
  transport.flush();
  call_.attempt_opened(*this);
}

bool ClientAttempt::send_headers() {
  switch (call_.channel().send_headers(*this, transport_->http2(), *stream_)) {
    case http2::SendResult::kOk:
    case http2::SendResult::kFull: return true;
    case http2::SendResult::kTooLarge:
      call_.finish(Status::resource_exhausted("the call's metadata is larger than the server accepts"));
      return false;
    case http2::SendResult::kEnded: break;
  }
  // A goodbye came first: nothing has left, so it may go anywhere.
  ClientTransport& transport = *transport_;
  leave_stream();
  transport.mark_unusable(Status::unavailable("the connection takes no new calls"));
  call_.channel().place(*this);
  return false;
}

// Lets go of the stream, in whatever state it is. The server hears of it if it can still matter.
void ClientAttempt::leave_stream() {
  if (stream_ == nullptr) return;
  http2::Stream& stream = *std::exchange(stream_, nullptr);
  ClientTransport& transport = *std::exchange(transport_, nullptr);
  stream.user = nullptr;
  if (!stream.is_over()) {
    // A server that has ended its side needs no more of the request: no error (RFC 9113 §8.1).
    transport.http2().reset(stream, stream.remote_closed() ? http2::ErrorCode::kNoError : http2::ErrorCode::kCancel);
  }
  if (call_.has_lent()) transport.http2().end_loan(stream, call_.lender_);
  transport.http2().release(stream);
  transport.flush();
  transport.stream_left();
}

void ClientAttempt::leave(const Status& why) {
  under_way_ = false;
  queue_link_.unlink();
  if (fetch_) fetch_->leave(why);
  leave_stream();
  if (pick_done_) tell_pick_done(why);
  if (!stats_) return;
  if (call_.has_unread(*this)) return stats_.stop_clock();
  stats_.end(why);
}

void ClientAttempt::tell_pick_done(const Status& why) noexcept {
  if (!trailers_) return tell_done(std::exchange(pick_done_, nullptr), {why});
  const stats::ReceivedMetadata trailer(*trailers_, stats::Side::kClient);
  tell_done(std::exchange(pick_done_, nullptr), {why, &trailer});
}

void ClientAttempt::reset() noexcept {
  headers_ = nullptr;
  trailers_ = nullptr;
  foreign_body_.clear();
  foreign_ = false;
  refused_once_ = false;
  if (fetch_) fetch_->reset();
}

// --- The answer ---

void ClientAttempt::on_headers(http2::HeaderBlockRef headers, bool end_stream) {
  if (headers->is_truncated()) {
    return fail(Status::resource_exhausted("the server's headers are larger than this client accepts"));
  }
  const ResponseFields& fields = response_fields(*headers);
  headers_ = std::move(headers);
  if (stats_) tell_header(fields, end_stream);
  foreign_ = fields.http_status != 200 || !fields.grpc_content_type;
  if (end_stream) {
    // Trailers-Only: one section is headers and trailers at once.
    trailers_ = std::exchange(headers_, nullptr);
    return end_by_server(fields);
  }
  if (foreign_) return;
  // gRFC A6: with the server's headers the call is committed to this server.
  call_.commit(*this);
  if (!fields.subtype.empty() && !call_.reads_subtype(fields.subtype)) {
    return call_.finish(
        Status::internal("the server answers in the codec \"" + fields.subtype + "\", which nobody has asked for"));
  }
  call_.on_response_headers();
}

void ClientAttempt::on_data(std::span<const uint8_t> content, bool end_stream) {
  if (foreign_) return answer_isnt_grpc(content, end_stream);
  if (!content.empty()) call_.take_content(content);
  if (end_stream && !call_.is_done()) {
    call_.finish(Status::internal("the server closed the stream without sending trailers"));
  }
}

void ClientAttempt::answer_isnt_grpc(std::span<const uint8_t> content, bool end_stream) {
  const size_t room = kMaxForeignBody - foreign_body_.size();
  foreign_body_.append(reinterpret_cast<const char*>(content.data()), std::min(room, content.size()));
  transport_->http2().consume(*stream_, content.size());
  transport_->flush();
  if (!end_stream && foreign_body_.size() < kMaxForeignBody) return;
  const http2::HeaderField* type = headers_->find(http2::HeaderName::kContentType);
  fail(status_of_http_response(response_fields(*headers_), type != nullptr ? type->value : "", foreign_body_));
}

void ClientAttempt::on_trailers(http2::HeaderBlockRef trailers) {
  if (trailers->is_truncated()) {
    return fail(Status::resource_exhausted("the server's trailers are larger than this client accepts"));
  }
  trailers_ = std::move(trailers);
  if (stats_) stats_.trailer_received(false, {*trailers_, stats::Side::kClient});
  end_by_server(response_fields(*trailers_));
}

// A grpc-status wins over everything else; without one, HTTP's status has to do.
void ClientAttempt::end_by_server(const ResponseFields& fields) {
  if (fields.has_grpc_status) {
    if (fields.status.is_ok()) return call_.attempt_succeeded(*this);
    return fail(fields.status);
  }
  if (!foreign_) return fail(Status::unknown("the server's trailers have no grpc-status"));
  const http2::HeaderBlock& head = headers_ ? *headers_ : *trailers_;
  const http2::HeaderField* type = head.find(http2::HeaderName::kContentType);
  fail(status_of_http_response(response_fields(head), type != nullptr ? type->value : "", foreign_body_));
}

void ClientAttempt::on_reset(http2::ErrorCode code, http2::ResetOrigin origin) {
  switch (origin) {
    case http2::ResetOrigin::kUnprocessed: return repeat_or_fail(code, origin);
    case http2::ResetOrigin::kConnection: {
      // The reason is known when the socket has been closed, this turn.
      ClientTransport& transport = *transport_;
      leave_stream();
      return transport.adopt_orphan(*this);
    }
    case http2::ResetOrigin::kPeer:
      // The server's own timer may be faster than ours (gRPC over HTTP2, "Errors").
      if (code == http2::ErrorCode::kCancel && call_.context().deadline() <= call_.channel().loop().now()) {
        return call_.on_deadline();
      }
      return fail(status_of_reset(code, origin, {}));
    case http2::ResetOrigin::kProtocol: return fail(status_of_reset(code, origin, {}));
  }
}

// gRFC A6, "Transparent retries": what the server provably never saw may go out again, any number of
// times; what it refused by name, once. After that it's a failure like another.
void ClientAttempt::repeat_or_fail(http2::ErrorCode code, http2::ResetOrigin origin) {
  const bool refused = transport_->is_usable();
  if (call_.is_committed() || (refused && refused_once_)) return fail(status_of_reset(code, origin, {}));
  refused_once_ |= refused;
  leave_stream();
  ++call_.channel().counters().transparent_retries;
  if (stats_) {
    stats_.end(status_of_reset(code, origin, {}));
    begin_stats(true);
  }
  call_.channel().place(*this);
}

void ClientAttempt::on_writable() { call_.on_writable(); }

// --- Stats ---

void ClientAttempt::begin_stats(bool transparent_retry) {
  const StatsHandlers* const handlers = call_.channel().stats_handlers();
  if (handlers == nullptr) return;
  pick_wait_ = PickWait::kNo;
  stats_.begin(*handlers, call_.channel().loop().clock(),
               {.side = stats::Side::kClient,
                .time = {},
                .method = call_.method(),
                .static_method = call_.options().static_method,
                .client_streams = call_.client_streams(),
                .server_streams = call_.server_streams(),
                .deadline = call_.context().deadline(),
                .wait_for_ready = call_.waits_for_ready(),
                .previous_attempts = previous_attempts_,
                .transparent_retry = transparent_retry,
                .hedge = previous_attempts_ != 0 && call_.is_hedged(),
                .connection = nullptr},
               nullptr);
}

void ClientAttempt::tell_delayed_pick() noexcept {
  const bool for_resolver = std::exchange(pick_wait_, PickWait::kTold) == PickWait::kForResolver;
  if (stats_) stats_.delayed_pick(for_resolver);
}

// A section that is header and trailer at once counts as the trailer.
void ClientAttempt::tell_header(const ResponseFields& fields, bool end_stream) noexcept {
  const stats::ReceivedMetadata metadata(*headers_, stats::Side::kClient);
  if (end_stream) return stats_.trailer_received(true, metadata);
  stats_.header_received(*transport_->stats(), fields.encoding, metadata);
}

}  // namespace gaggle
