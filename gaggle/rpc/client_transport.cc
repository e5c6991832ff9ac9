// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_transport.h"

#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/client_attempt.h"
#include "gaggle/rpc/client_call.h"

namespace gaggle {
namespace {

ClientAttempt& attempt_of(http2::Stream& stream) { return *static_cast<ClientAttempt*>(stream.user); }

std::string with_reason(std::string text, std::string_view reason) {
  if (!reason.empty()) text.append(": ").append(reason);
  return text;
}

// What a failed connection means for the calls on it. A server that breaks the protocol is broken;
// all else is a connection that may be better the next time.
StatusCode code_of_connection_error(http2::ErrorCode code) {
  switch (code) {
    case http2::ErrorCode::kProtocolError:
    case http2::ErrorCode::kFlowControlError:
    case http2::ErrorCode::kStreamClosed:
    case http2::ErrorCode::kFrameSizeError:
    case http2::ErrorCode::kCompressionError: return StatusCode::kInternal;
    default: return StatusCode::kUnavailable;
  }
}

}  // namespace

ClientTransport::ClientTransport(std::unique_ptr<ByteStream> stream, const transport::Options& options,
                                 const StatsHandlers* stats, Owner& owner)
    : owner_(owner),
      name_(stream->peer_address().to_string()),
      options_(options),
      connection_(std::move(stream), http2::Role::kClient, options_, *this, tallies_) {
  if (stats != nullptr) {
    stats_ = std::make_unique<ConnectionStats>(*stats, stats::Side::kClient, connection_.loop().clock(), peer());
  }
}

Peer ClientTransport::peer() const {
  return {connection_.peer_address().to_string(), connection_.local_address().to_string(), connection_.security()};
}

// --- Placing calls ---

// False when the attempt has to wait, or when the transport has turned out to be of no use.
bool ClientTransport::try_open(ClientAttempt& attempt) {
  if (const std::string_view authority = attempt.call().options().authority; !authority.empty()) {
    if (const Status& bad = check_authority(authority); !bad) {
      attempt.fail(Status::unavailable(name() + ": " + std::string(bad.message())));
      return true;
    }
  }
  switch (http2().can_open()) {
    case http2::CanOpen::kYes: break;
    case http2::CanOpen::kStreamLimit:
      // Asking is what makes the engine tell us when there is room.
      static_cast<void>(http2().open_stream());
      return false;
    case http2::CanOpen::kIdsExhausted:
      // RFC 9113 §5.1.1: a client that is out of ids opens a new connection; this one finishes.
      mark_unusable(Status::unavailable(name() + ": the connection has no stream ids left"));
      connection_.drain();
      return false;
    case http2::CanOpen::kGoingAway:
      mark_unusable(Status::unavailable(name() + ": the connection takes no new calls"));
      return false;
    case http2::CanOpen::kFailed:
      mark_unusable(failure_.is_ok() ? Status::unavailable(name() + ": the connection failed") : failure_);
      return false;
  }
  http2::Stream* stream = http2().open_stream();
  if (stream == nullptr) return false;
  stream->user = &attempt;
  attempt.open(*this, *stream);
  return true;
}

const Status& ClientTransport::check_authority(std::string_view authority) {
  if (checked_authority_ != authority) {
    checked_ = owner_.check_authority(connection_.security().get(), authority);
    checked_authority_ = authority;
  }
  return checked_;
}

void ClientTransport::mark_unusable(const Status& why) {
  if (!std::exchange(usable_, false)) return;
  if (failure_.is_ok()) failure_ = why;
  owner_.on_transport_unusable(*this, why);
}

void ClientTransport::adopt_orphan(ClientAttempt& attempt) {
  if (broken_) return attempt.fail(failure_);
  orphans_.push_back(attempt.queue_link());
}

void ClientTransport::drain() {
  mark_unusable(Status::unavailable(name() + ": the connection isn't wanted any more"));
  connection_.drain();
}

// --- Events ---

void ClientTransport::on_headers(http2::Stream& stream, http2::HeaderBlockRef headers, bool end_stream) {
  attempt_of(stream).on_headers(std::move(headers), end_stream);
}

void ClientTransport::on_trailers(http2::Stream& stream, http2::HeaderBlockRef trailers) {
  attempt_of(stream).on_trailers(std::move(trailers));
}

void ClientTransport::on_data(http2::Stream& stream, std::span<const uint8_t> content, bool end_stream) {
  attempt_of(stream).on_data(content, end_stream);
}

void ClientTransport::on_reset(http2::Stream& stream, http2::ErrorCode code, http2::ResetOrigin origin) {
  attempt_of(stream).on_reset(code, origin);
}

void ClientTransport::on_writable(http2::Stream& stream) { attempt_of(stream).on_writable(); }

// RFC 9113 §6.8: no new streams after a GOAWAY; those up to the last id may still finish.
void ClientTransport::on_goaway(uint32_t, http2::ErrorCode code, std::string_view debug) {
  if (code == http2::ErrorCode::kEnhanceYourCalm && debug == "too_many_pings") {
    owner_.on_pinged_too_often(options_.keepalive.time);
  }
  const std::string text = name() + " said goodbye with " + std::string(http2::error_code_name(code));
  mark_unusable(Status::unavailable(with_reason(text, debug)));
}

void ClientTransport::on_settings(const http2::Settings&) {
  // A changed limit may have made room.
  can_open_ = true;
  if (std::exchange(settings_came_, true)) return;
  owner_.on_transport_ready(*this);
}

void ClientTransport::on_connection_error(http2::ErrorCode code, std::string_view reason) {
  const std::string text = name() + ": the connection failed with " + std::string(http2::error_code_name(code));
  const Status why{code_of_connection_error(code), with_reason(text, reason)};
  failure_ = why;
  broken_ = true;
  mark_unusable(why);
}

void ClientTransport::on_events_done() {
  if (std::exchange(can_open_, false) || !usable_) owner_.on_transport_changed();
}

void ClientTransport::on_closed(const Status& why) {
  Status reason = failure_;
  if (!broken_) {
    const std::string before = failure_.is_ok() ? name() : std::string(failure_.message());
    reason = {why.code(), with_reason(before, why.message())};
  }
  usable_ = false;
  if (stats_) stats_->on_closed(reason);
  while (!orphans_.empty()) orphans_.pop_front().fail(reason);
  stats_ = nullptr;
  owner_.on_transport_closed(*this, reason);
}

}  // namespace gaggle
