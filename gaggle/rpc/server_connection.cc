// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_connection.h"

#include <string_view>
#include <utility>

#include "gaggle/rpc/memory_quota.h"
#include "gaggle/rpc/server_call.h"
#include "gaggle/rpc/server_core.h"
#include "gaggle/rpc/server_loop.h"
#include "gaggle/rpc/server_request.h"

namespace gaggle {
namespace {

using http2::HeaderName;

std::string_view http_status_text(uint16_t status) {
  switch (status) {
    case 400: return "400";
    case 405: return "405";
    case 415: return "415";
    case 431: return "431";
    default: return "200";
  }
}

}  // namespace

ServerConnection::ServerConnection(ServerLoop& part, std::unique_ptr<ByteStream> stream)
    : part_(part),
      core_(part.core()),
      transport_(std::move(stream), http2::Role::kServer, core_.transport_options(), *this, part.tallies()) {}

ServerConnection::~ServerConnection() {
  if (core_.options().memory_quota != nullptr) core_.options().memory_quota->change(charged_bytes_, 0);
}

void ServerConnection::start() {
  // When memory is short, it begins with small windows.
  if (MemoryQuota* const quota = core_.options().memory_quota) static_cast<void>(follow_memory(*quota));
  if (const StatsHandlers* const handlers = core_.stats_handlers()) {
    stats_ = std::make_unique<ConnectionStats>(*handlers, stats::Side::kServer, loop().clock(), peer());
  }
  transport_.start();
  const Duration age = core_.options().max_connection_age;
  if (age != Duration::max()) transport_.limit_age(deadline_after(loop().now(), part_.jittered(age)));
  update_memory();
}

const Peer& ServerConnection::peer() {
  if (peer_ == nullptr) {
    peer_ = std::make_unique<Peer>(Peer{.address = transport_.peer_address().to_string(),
                                        .local_address = transport_.local_address().to_string(),
                                        .security = transport_.security()});
  }
  return *peer_;
}

// --- Events ---

void ServerConnection::on_headers(http2::Stream& stream, http2::HeaderBlockRef headers, bool end_stream) {
  const RequestHead& head = RequestHead::of(*headers, core_.request_rules());
  if (!head.refusal.is_ok()) {
    refuse(stream, head);
    return tell_refused(*headers, head, head.refusal, true);
  }
  if (core_.guards_calls() && !admit(stream, *headers, head)) return;
  ServerCall& call = part_.take_call();
  link(call);
  call.begin(*this, stream, std::move(headers), head, end_stream);
}

// Only calls that reached a method have an object; a released stream has no more events.
void ServerConnection::on_data(http2::Stream& stream, std::span<const uint8_t> content, bool end_stream) {
  static_cast<ServerCall*>(stream.user)->on_data(content, end_stream);
}

// gRPC gives trailers of a request no meaning beyond its end.
void ServerConnection::on_trailers(http2::Stream& stream, http2::HeaderBlockRef) {
  static_cast<ServerCall*>(stream.user)->on_request_end();
}

void ServerConnection::on_reset(http2::Stream& stream, http2::ErrorCode code, http2::ResetOrigin origin) {
  static_cast<ServerCall*>(stream.user)->on_reset(code, origin);
}

void ServerConnection::on_writable(http2::Stream& stream) { static_cast<ServerCall*>(stream.user)->on_writable(); }

void ServerConnection::on_ping() {
  const bool has_calls = http2().open_streams() != 0 || http2().used_slots() != 0;
  if (strikes_.allow(core_.options().keepalive_enforcement, loop().now(), has_calls, http2().call_frames_sent())) {
    return;
  }
  part_.count(ServerLoop::Event::kTooManyPings);
  http2().fail(http2::ErrorCode::kEnhanceYourCalm, "too_many_pings");
}

void ServerConnection::on_idle() { part_.release_idle_memory(); }

void ServerConnection::on_events_done() {
  run_ready();
  update_memory();
}

void ServerConnection::on_closed(const Status& why) {
  closed_ = true;
  if (stats_) stats_->on_closed(why);
  part_.count(transport_.counters());
  update_memory();
  run_ready();
}

void ServerConnection::refuse(http2::Stream& stream, const RequestHead& head) {
  refuse(stream, head, head.http_status, head.refusal);
}

void ServerConnection::refuse(http2::Stream& stream, const RequestHead& head, uint16_t http_status, const Status& why) {
  part_.count_call_started();
  part_.count_call_ended(false);
  ReplyFields& fields = part_.fields();
  fields.clear();
  fields.add_head(http_status_text(http_status), head.subtype);
  if (head.list_encodings) {
    fields.add_plain("grpc-accept-encoding", core_.compressors().accept_encoding(), HeaderName::kGrpcAcceptEncoding);
  }
  fields.add(why);
  if (http2().send_headers(stream, fields.fields(), true) == http2::SendResult::kTooLarge) {
    http2().reset(stream, http2::ErrorCode::kInternalError);
  }
  http2().release(stream);
}

void ServerConnection::drop(http2::Stream& stream, http2::ErrorCode code) {
  part_.count_call_started();
  part_.count_call_ended(false);
  http2().reset(stream, code);
  http2().release(stream);
}

// --- Calls ---

void ServerConnection::link(ServerCall& call) noexcept {
  call.previous_call = nullptr;
  call.next_call = calls_;
  if (calls_ != nullptr) calls_->previous_call = &call;
  calls_ = &call;
}

void ServerConnection::unlink(ServerCall& call) noexcept {
  (call.previous_call != nullptr ? call.previous_call->next_call : calls_) = call.next_call;
  if (call.next_call != nullptr) call.next_call->previous_call = call.previous_call;
}

void ServerConnection::make_ready(ServerCall& call) noexcept {
  if (std::exchange(call.ready, true)) return;
  call.next_ready = nullptr;
  (last_ready_ != nullptr ? last_ready_->next_ready : first_ready_) = &call;
  last_ready_ = &call;
}

// Answers that lie here complete, because the client's windows are closed, cost memory; so does
// everything that would be started on top.
bool ServerConnection::must_wait(const ServerCall& call) const noexcept {
  return call.waits_to_start() && !transport_.http2().may_start_call() && !transport_.is_closing() && !closed_;
}

void ServerConnection::run_ready() noexcept {
  if (running_) return;
  running_ = true;
  // Those that waited are first in line again, in their order: they came first.
  while (ServerCall* const call = held_) {
    held_ = call->next_ready;
    call->next_ready = first_ready_;
    first_ready_ = call;
    if (last_ready_ == nullptr) last_ready_ = call;
  }
  while (ServerCall* const call = first_ready_) {
    first_ready_ = call->next_ready;
    if (first_ready_ == nullptr) last_ready_ = nullptr;
    if (must_wait(*call)) {
      if (!std::exchange(call->held, true)) http2().count_held_call();
      call->next_ready = std::exchange(held_, call);
      continue;
    }
    call->ready = call->held = false;
    call->run();
  }
  running_ = false;
  remove_if_finished();
}

void ServerConnection::call_ended(ServerCall& call, bool succeeded) noexcept {
  // One that waits for its run() ends there.
  if (call.ready) return;
  part_.count_call_ended(succeeded);
  call.end_stats(succeeded);
  http2().release(call.stream());
  flush();
  unlink(call);
  part_.give_back(call);
  // Within a turn, its end does it once for all.
  if (!running_) update_memory();
  remove_if_finished();
}

void ServerConnection::remove_if_finished() noexcept {
  if (closed_ && calls_ == nullptr && !running_) part_.remove(*this);
}

// --- The end ---

void ServerConnection::end(std::string_view why) {
  if (closed_) return;
  end_calls(why);
  http2().goaway(http2::ErrorCode::kNoError, why);
  transport_.close(Status::cancelled(why));
  run_ready();
}

void ServerConnection::abandon() {
  if (closed_) return;
  end_calls("the server's loop has ended");
  transport_.abort(Status::cancelled("the server's loop has ended"));
}

void ServerConnection::end_calls(std::string_view why) {
  const Status status = Status::cancelled(why);
  for (ServerCall* call = calls_; call != nullptr; call = call->next_call) call->abort(status);
}

}  // namespace gaggle
