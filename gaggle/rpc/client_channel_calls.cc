// SPDX-License-Identifier: Apache-2.0
//
// A channel's calls: finding them a transport, their header fields, and the pool they come from.
#include <array>
#include <charconv>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/client_attempt.h"
#include "gaggle/rpc/client_call.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/client_subconn.h"
#include "gaggle/rpc/client_tokens.h"
#include "gaggle/rpc/client_unary.h"
#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/control_plane.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/thrown.h"
#include "gaggle/rpc/wire_metadata.h"
#include "gaggle/rpc/wire_request.h"
#include "gaggle/rpc/wire_timeout.h"

namespace gaggle {
namespace {

// Calls that are kept for the next ones.
constexpr size_t kMaxSpareCalls = 256;

// Metadata longer than this changes with each call more often than not: it would only push the rest
// out of the peer's table.
constexpr size_t kMaxIndexedValue = 64;

http2::Indexing indexing_of(const Metadata::Entry& entry) {
  if (entry.key == "authorization" || entry.key == "cookie") return http2::Indexing::kNeverIndexed;
  if (entry.value.size() > kMaxIndexedValue || wire::is_binary_key(entry.key)) return http2::Indexing::kNoIndex;
  return http2::Indexing::kIndex;
}

PickResult pick_from(Picker& picker, const PickInfo& info) noexcept {
  try {
    return picker.pick(info);
  } catch (...) {
    return PickResult::drop(status_of_thrown("the picker"));
  }
}

}  // namespace

void ClientChannel::enlist(ClientCallBase& call) {
  begin_activity();
  calls_.push_back(call.channel_link());
  ++counters_.calls_started;
  ++counters_.calls_now;
}

void ClientChannel::delist(ClientCallBase& call) {
  call.channel_link().unlink();
  end_activity();
  --counters_.calls_now;
  ++(call.status().is_ok() ? counters_.calls_succeeded : counters_.calls_failed);
}

// --- Placing ---

void ClientChannel::place(ClientAttempt& attempt) {
  ClientCallBase& call = attempt.call();
  if (closed_) return call.finish(Status::cancelled("the client connection is closing"));
  if (ClientSubConn* const pinned = call.pinned()) {
    if (pinned->has_transport()) return attempt.go_to(*pinned);
    return attempt.fail(Status::unavailable("the connection that this call is about is gone"));
  }
  if (!started_) {
    if (Status failed = exit_idle(); !failed) return call.finish(restrict_control_plane(std::move(failed)));
  }
  if (!picker_) return wait_for_pick(attempt, true);
  if (!call.is_configured() && service_config_.is_known() && !call.configure(service_config_.current())) return;
  const Ref<Picker> picker = picker_;
  place_by(*picker, attempt);
}

void ClientChannel::place_by(Picker& picker, ClientAttempt& attempt) {
  ClientCallBase& call = attempt.call();
  PickResult result =
      pick_from(picker, {call.method(), &call.context(), call.options().metadata, options().call_defaults.metadata});
  switch (result.kind) {
    case PickResult::Kind::kComplete: {
      if (result.subconn == nullptr) {
        return call.finish(Status::internal("the picker has chosen, but no connection"));
      }
      ClientSubConn& subconn = *static_cast<ClientSubConn*>(result.subconn);
      // A picture of what was ready a moment ago: there will be a newer one soon.
      if (!subconn.has_transport()) return wait_for_pick(attempt);
      attempt.on_picked();
      attempt.set_pick_done(std::move(result.done));
      return attempt.go_to(subconn);
    }
    case PickResult::Kind::kQueue: return wait_for_pick(attempt);
    case PickResult::Kind::kFail:
      if (!call.waits_for_ready()) return attempt.fail(unavailable(result.status));
      if (!result.status.is_ok()) note_error(result.status);  // what its deadline will name
      return wait_for_pick(attempt);
    case PickResult::Kind::kDrop:
      if (result.status.is_ok()) return call.finish(Status::internal("the picker dropped the call with OK"));
      return call.finish(restrict_control_plane(std::move(result.status)));
  }
}

void ClientChannel::wait_for_pick(ClientAttempt& attempt, bool for_resolver) {
  attempt.on_pick_waits(for_resolver);
  waiting_.push_back(attempt.queue_link());
}

Status ClientChannel::unavailable(const Status& why) const {
  std::string text(why.message());
  if (text.empty()) text = last_error_.message();
  if (text.empty()) text = "the picker failed the call and doesn't say why";
  return Status::unavailable(text);
}

// Each call that waits gets one look at the newest picker. What happens meanwhile may bring a newer
// one: then everybody looks again.
void ClientChannel::place_waiting() {
  if (std::exchange(placing_, true)) {
    place_again_ = true;
    return;
  }
  do {
    place_again_ = false;
    AttemptList attempts;
    attempts.append(waiting_);
    while (!attempts.empty()) place(attempts.pop_front());
  } while (place_again_);
  placing_ = false;
}

// --- Header fields ---

// What all calls of a method share, if this call shares it.
const http2::PreparedHeaders* ClientChannel::begin_fields(const ClientCallBase& call) {
  fields_.clear();
  const CallOptions& wanted = call.options();
  if (wanted.authority.empty() && wanted.content_subtype.empty()) {
    if (const http2::PreparedHeaders* prepared = methods_.find(call.method())) return prepared;
  }
  wire::write_content_type(wanted.content_subtype, content_type_);
  const std::string_view authority = wanted.authority.empty() ? methods_.authority() : wanted.authority;
  methods_.fields(call.method(), authority, content_type_, fields_);
  return nullptr;
}

http2::SendResult ClientChannel::send_headers(const ClientAttempt& attempt, http2::Connection& http2,
                                              http2::Stream& stream) {
  const ClientCallBase& call = attempt.call();
  const http2::PreparedHeaders* const prepared = begin_fields(call);
  wire::TimeoutText timeout;
  if (call.context().has_deadline()) {
    const Duration left = call.context().deadline() - loop().now();
    fields_.push_back({"grpc-timeout", wire::encode_timeout(left, timeout), http2::HeaderName::kGrpcTimeout,
                       http2::Indexing::kNoIndex});
  }
  if (const Compressor* compressor = call.compressor()) {
    fields_.push_back({"grpc-encoding", compressor->name(), http2::HeaderName::kGrpcEncoding});
  }
  // gRFC A6: not on the first attempt.
  std::array<char, 10> previous_text;
  if (const uint32_t previous = attempt.previous_attempts(); previous != 0) {
    const auto end = std::to_chars(previous_text.begin(), previous_text.end(), previous).ptr;
    fields_.push_back({"grpc-previous-rpc-attempts", std::string_view(previous_text.begin(), end),
                       http2::HeaderName::kOther, http2::Indexing::kIndex});
  }
  encoded_values_.clear();
  if (const Metadata* defaults = options().call_defaults.metadata) add_metadata(*defaults);
  if (const Metadata* metadata = call.options().metadata) add_metadata(*metadata);
  if (const CallTokens* tokens = attempt.tokens()) {
    if (tokens->of_connection != nullptr) add_metadata(*tokens->of_connection);
    if (tokens->of_call != nullptr) add_metadata(*tokens->of_call);
  }
  if (attempt.stats()) add_metadata(attempt.stats().added());
  if (prepared == nullptr) return http2.send_headers(stream, fields_, false);
  return http2.send_headers(stream, *prepared, fields_, false);
}

void ClientChannel::add_metadata(const Metadata& metadata) {
  for (const Metadata::Entry& entry : metadata) {
    std::string_view value = entry.value;
    if (wire::is_binary_key(entry.key)) value = wire::wire_value(entry.key, value, encoded_values_.emplace_back());
    fields_.push_back({entry.key, value, http2::HeaderName::kOther, indexing_of(entry)});
  }
}

// --- Retries ---

bool ClientChannel::take_retry_buffer(size_t bytes) noexcept {
  const size_t limit = options().retry_buffer_bytes;
  if (bytes > limit || counters_.retry_buffer_bytes.get() > limit - bytes) {
    ++counters_.retry_buffer_full;
    return false;
  }
  counters_.retry_buffer_bytes.add(static_cast<int64_t>(bytes));
  return true;
}

// --- The pool ---

ClientUnaryCall& ClientChannel::take_unary_call() {
  if (spare_calls_.empty()) return *new ClientUnaryCall(*this);
  if (spare_calls_.size() > kMaxSpareCalls) spare_calls_.pop_back();
  ClientUnaryCall& call = *spare_calls_.back().release();
  spare_calls_.pop_back();
  return call;
}

// Never deletes: whoever made the call finish may still look at whether it's done.
void ClientChannel::recycle(ClientUnaryCall& call) { spare_calls_.emplace_back(&call); }

}  // namespace gaggle
