// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_call.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/client_response.h"
#include "gaggle/rpc/client_transport.h"
#include "gaggle/rpc/wire_request.h"

namespace gaggle {
namespace {

// How much of an answer that isn't gRPC is kept for the error message.
constexpr size_t kMaxForeignBody = 1024;

}  // namespace

ClientCallBase::ClientCallBase(ClientChannel& channel) : channel_(channel), deadline_timer_(channel.loop(), *this) {}

ClientCallBase::~ClientCallBase() = default;

// --- From the wish to a place ---

void ClientCallBase::begin(const Context& context, std::string_view method, const CallOptions& options) {
  context_ = context;
  method_ = method;
  options_ = options;
  done_ = false;
  if (Status refused = check_start(); !refused) return finish(std::move(refused));
  enlisted_ = true;
  settled_ = false;
  channel_.enlist(*this);
  if (context_.has_deadline()) deadline_timer_.arm_at(context_.deadline());
  LoopCancel::listen(channel_.loop(), context_);
  channel_.place(*this);
}

// gRPC over HTTP2: a call whose time is up, or that nobody wants any more, is never sent.
Status ClientCallBase::check_start() const {
  if (context_.cancelled()) return context_.status();
  if (context_.deadline() <= channel_.loop().now()) {
    return Status::deadline_exceeded("the deadline had passed before the call began");
  }
  if (!wire::path_can_travel(method_)) {
    return Status::internal("\"" + std::string(method_) + "\" is no method: write /package.Service/Method");
  }
  return {};
}

// --- On a stream ---

void ClientCallBase::open(ClientTransport& transport, http2::Stream& stream) {
  transport_ = &transport;
  stream_ = &stream;
  foreign_ = false;
  if (Status refused = prepare_request(); !refused) return finish(std::move(refused));
  if (!send_headers()) return;
  send_request();
  if (done_ || stream_ == nullptr) return;
  transport.flush();
  on_opened();
}

bool ClientCallBase::send_headers() {
  switch (channel_.send_headers(*this, transport_->http2(), *stream_)) {
    case http2::SendResult::kOk:
    case http2::SendResult::kFull: return true;
    case http2::SendResult::kTooLarge:
      finish(Status::resource_exhausted("the call's metadata is larger than the server accepts"));
      return false;
    case http2::SendResult::kEnded: break;
  }
  // A goodbye came first: nothing has left, so it may go anywhere.
  ClientTransport& transport = *transport_;
  leave_stream();
  transport.mark_unusable(Status::unavailable("the connection takes no new calls"));
  channel_.place(*this);
  return false;
}

void ClientCallBase::consume(size_t bytes) {
  if (stream_ == nullptr || bytes == 0) return;
  transport_->http2().consume(*stream_, bytes);
  transport_->flush();
}

// Lets go of the stream, in whatever state it is. The server hears of it if it can still matter.
void ClientCallBase::leave_stream() {
  if (stream_ == nullptr) return;
  http2::Stream& stream = *std::exchange(stream_, nullptr);
  ClientTransport& transport = *std::exchange(transport_, nullptr);
  stream.user = nullptr;
  if (!stream.is_over()) {
    // A server that has ended its side needs no more of the request: no error (RFC 9113 §8.1).
    transport.http2().reset(stream, stream.remote_closed() ? http2::ErrorCode::kNoError : http2::ErrorCode::kCancel);
  }
  transport.http2().release(stream);
  transport.flush();
  transport.stream_left();
}

// --- The answer ---

void ClientCallBase::on_headers(http2::HeaderBlockRef headers, bool end_stream) {
  if (headers->is_truncated()) {
    return finish(Status::resource_exhausted("the server's headers are larger than this client accepts"));
  }
  const ResponseFields& fields = response_fields(*headers);
  headers_ = std::move(headers);
  foreign_ = fields.http_status != 200 || !fields.grpc_content_type;
  if (end_stream) {
    // Trailers-Only: one section is headers and trailers at once.
    trailers_ = std::exchange(headers_, nullptr);
    return finish_by_server(fields);
  }
  if (!foreign_) on_response_headers();
}

void ClientCallBase::on_data(std::span<const uint8_t> content, bool end_stream) {
  if (foreign_) return answer_isnt_grpc(content, end_stream);
  if (!content.empty()) take_content(content);
  if (end_stream && !done_) finish(Status::internal("the server closed the stream without sending trailers"));
}

void ClientCallBase::answer_isnt_grpc(std::span<const uint8_t> content, bool end_stream) {
  const size_t room = kMaxForeignBody - foreign_body_.size();
  foreign_body_.append(reinterpret_cast<const char*>(content.data()), std::min(room, content.size()));
  consume(content.size());
  if (!end_stream && foreign_body_.size() < kMaxForeignBody) return;
  const http2::HeaderField* type = headers_->find(http2::HeaderName::kContentType);
  finish(status_of_http_response(response_fields(*headers_), type != nullptr ? type->value : "", foreign_body_));
}

void ClientCallBase::on_trailers(http2::HeaderBlockRef trailers) {
  if (trailers->is_truncated()) {
    return finish(Status::resource_exhausted("the server's trailers are larger than this client accepts"));
  }
  trailers_ = std::move(trailers);
  finish_by_server(response_fields(*trailers_));
}

// A grpc-status wins over everything else; without one, HTTP's status has to do.
void ClientCallBase::finish_by_server(const ResponseFields& fields) {
  if (fields.has_grpc_status) return finish(conclude(fields.status));
  if (!foreign_) return finish(Status::unknown("the server's trailers have no grpc-status"));
  const http2::HeaderBlock& head = headers_ ? *headers_ : *trailers_;
  const http2::HeaderField* type = head.find(http2::HeaderName::kContentType);
  finish(status_of_http_response(response_fields(head), type != nullptr ? type->value : "", foreign_body_));
}

void ClientCallBase::on_reset(http2::ErrorCode code, http2::ResetOrigin origin) {
  switch (origin) {
    case http2::ResetOrigin::kUnprocessed: return retry_or_fail(code, origin);
    case http2::ResetOrigin::kConnection: {
      // The reason is known when the socket has been closed, this turn.
      ClientTransport& transport = *transport_;
      leave_stream();
      return transport.adopt_orphan(*this);
    }
    case http2::ResetOrigin::kPeer:
      // The server's own timer may be faster than ours (gRPC over HTTP2, "Errors").
      if (code == http2::ErrorCode::kCancel && context_.deadline() <= channel_.loop().now()) {
        return finish(deadline_status());
      }
      return finish(status_of_reset(code, origin, {}));
    case http2::ResetOrigin::kProtocol: return finish(status_of_reset(code, origin, {}));
  }
}

// gRFC A6, "Transparent retries": what the server provably never saw may go out again, any number of
// times; what it refused by name, once.
void ClientCallBase::retry_or_fail(http2::ErrorCode code, http2::ResetOrigin origin) {
  const bool refused = transport_->is_usable();
  if (!can_repeat_request() || (refused && refused_once_)) return finish(status_of_reset(code, origin, {}));
  refused_once_ |= refused;
  leave_stream();
  ++channel_.counters().transparent_retries;
  channel_.place(*this);
}

// --- The end ---

void ClientCallBase::set_pick_done(std::move_only_function<void(const PickDone&)> done) {
  if (pick_done_) pick_done_(PickDone{Status::unavailable("the call went elsewhere: it was not processed")});
  pick_done_ = std::move(done);
}

void ClientCallBase::on_deadline() noexcept { finish(deadline_status()); }

Status ClientCallBase::deadline_status() const {
  if (stream_ != nullptr) return Status::deadline_exceeded("the deadline passed while the server worked");
  std::string text = "the deadline passed while the call waited for a connection";
  if (const Status& error = channel_.last_error(); !error.is_ok())
    text.append("; the last error: ").append(error.message());
  return Status::deadline_exceeded(text);
}

void ClientCallBase::on_cancelled() noexcept { finish(context_.status()); }

void ClientCallBase::finish(Status status) {
  if (std::exchange(done_, true)) return;
  status_ = std::move(status);
  queue_link_.unlink();
  leave_stream();
  deadline_timer_.disarm();
  if (enlisted_) {
    settled_ = LoopCancel::stop();
    channel_.delist(*this);
  }
  if (pick_done_) std::exchange(pick_done_, nullptr)(PickDone{status_});
  on_finished();
}

void ClientCallBase::on_quiet() noexcept {
  settled_ = true;
  on_settled();
}

void ClientCallBase::reset() {
  assert(done_ && settled_);
  context_ = {};
  options_ = {};
  headers_ = nullptr;
  trailers_ = nullptr;
  status_ = {};
  foreign_body_.clear();
  enlisted_ = false;
  foreign_ = false;
  refused_once_ = false;
}

}  // namespace gaggle
