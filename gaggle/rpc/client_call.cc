// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_call.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/client_response.h"
#include "gaggle/rpc/client_tokens.h"
#include "gaggle/rpc/client_transport.h"
#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/wire_request.h"

namespace gaggle {

ClientCallBase::ClientCallBase(ClientChannel& channel) : channel_(channel), deadline_timer_(channel.loop(), *this) {}

ClientCallBase::~ClientCallBase() = default;

// --- The beginning ---

void ClientCallBase::begin(const Context& context, std::string_view method, const CallOptions& options) {
  context_ = context;
  method_ = method;
  options_ = options;
  done_ = false;
  attempts_.store(0, std::memory_order_relaxed);
  began_ = channel_.loop().now();
  if (Status refused = check_start(); !refused) return finish(std::move(refused));
  enlisted_ = true;
  settled_ = false;
  if (pinned_ == nullptr) channel_.enlist(*this);
  if (context_.has_deadline()) deadline_timer_.arm_at(context_.deadline());
  LoopCancel::listen(channel_.loop(), context_);
  first_.begin(0);
}

// gRPC over HTTP2: a call whose time is up, or that nobody wants any more, is never sent.
Status ClientCallBase::check_start() {
  if (context_.cancelled()) return context_.status();
  if (context_.deadline() <= began_) {
    return Status::deadline_exceeded("the deadline had passed before the call began");
  }
  if (!wire::path_can_travel(method_)) {
    return Status::internal("\"" + std::string(method_) + "\" is no method: write /package.Service/Method");
  }
  if (!wire::authority_can_travel(options_.authority)) {
    return Status::internal("the call's authority has spaces or control characters");
  }
  if (options_.metadata != nullptr) {
    if (const Status bad = options_.metadata->check(); !bad) return Status::internal(bad.message());
  }
  const std::string_view encoding = options_.compressor;
  compressor_ = encoding.empty() ? nullptr : channel_.compressors().find(encoding);
  if (compressor_ == nullptr && !encoding.empty() && encoding != "identity") {
    return Status::internal("the connection has no compressor \"" + std::string(encoding) + "\"");
  }
  wants_tokens_ = gaggle::wants_tokens(channel_, options_);
  return wants_tokens_ ? check_tokens(channel_, options_) : Status{};
}

// --- What the service config says ---

namespace {

// The smaller of the two, if both are set.
std::optional<size_t> smaller(std::optional<size_t> a, std::optional<size_t> b) {
  return a && b ? std::min(*a, *b) : (a ? a : b);
}

}  // namespace

bool ClientCallBase::configure(const Ref<const ServiceConfig>& config) {
  configured_ = true;
  if (!config) return true;
  const MethodConfig* const method = config->method_config(method_);
  if (method == nullptr) return true;
  config_ = config;
  if (!options_.wait_for_ready) options_.wait_for_ready = method->wait_for_ready;
  if (method->max_request_bytes || method->max_response_bytes) {
    options_.max_send_bytes = smaller(options_.max_send_bytes, method->max_request_bytes);
    options_.max_receive_bytes = smaller(options_.max_receive_bytes, method->max_response_bytes);
    on_options_changed();
  }
  if (!channel_.options().disable_retry && options_.max_attempts.value_or(kMaxCallAttempts) > 1) {
    retry_ = method->retry ? &*method->retry : nullptr;
    hedging_ = method->hedging ? &*method->hedging : nullptr;
  }
  return !method->timeout || shorten(*method->timeout);
}

// The call has at most `timeout` from its beginning.
bool ClientCallBase::shorten(Duration timeout) {
  const TimePoint deadline = deadline_after(began_, timeout);
  if (deadline >= context_.deadline()) return true;
  context_ = context_.with_deadline(deadline);
  if (deadline <= channel_.loop().now()) {
    on_deadline();
    return false;
  }
  deadline_timer_.arm_at(deadline);
  return true;
}

// --- Attempts ---

ClientRetries& ClientCallBase::begin_retries() {
  if (!retries_memory_) retries_memory_ = std::make_unique<ClientRetries>(*this);
  retries_ = retries_memory_.get();
  return *retries_;
}

void ClientCallBase::attempt_opened(ClientAttempt& attempt) {
  if (!committed_) current_ = &attempt;
  on_opened(attempt);
  if (hedging_ != nullptr && !committed_) {
    (retries_ != nullptr ? *retries_ : begin_retries()).attempt_opened();
  }
}

void ClientCallBase::attempt_succeeded(ClientAttempt& attempt) {
  commit(attempt);
  if (RetryThrottle* throttle = channel_.retry_throttle()) throttle->on_success();
  finish(conclude({}));
}

void ClientCallBase::attempt_failed(ClientAttempt& attempt, Status status) {
  if (!committed_) {
    current_ = &attempt;
    if (may_be_retried() && (retries_ != nullptr ? *retries_ : begin_retries()).attempt_failed(attempt, status)) return;
  }
  finish(std::move(status));
}

void ClientCallBase::commit(ClientAttempt& winner) {
  if (std::exchange(committed_, true)) return;
  current_ = &winner;
  if (retries_ != nullptr) {
    retries_->settle_on(winner);
    if (winner.stream() != nullptr) on_opened(winner);
  }
  on_committed();
}

void ClientCallBase::forgo_retries() {
  retry_ = nullptr;
  hedging_ = nullptr;
}

std::string_view ClientCallBase::encoding() const {
  return headers() != nullptr ? std::string_view(response_fields(*headers()).encoding) : std::string_view{};
}

// An answer without a subtype is taken for what was asked for.
bool ClientCallBase::reads_subtype(std::string_view subtype) const noexcept {
  if (options_.codec != nullptr) return true;
  return wire::same_subtype(subtype, options_.content_subtype.empty() ? "proto" : options_.content_subtype);
}

const Compressor* ClientCallBase::decompressor() const {
  const std::string_view name = encoding();
  return name.empty() ? nullptr : channel_.compressors().find(name);
}

void ClientCallBase::consume(size_t bytes) {
  if (stream() == nullptr || bytes == 0) return;
  transport()->http2().consume(*stream(), bytes);
  transport()->flush();
}

void ClientCallBase::expect_rest(const MessageReader& reader) {
  if (stream() == nullptr || reader.at_boundary()) return;
  transport()->http2().expect(*stream(), reader.missing_bytes());
  transport()->flush();
}

// --- The end ---

void ClientCallBase::on_deadline() noexcept { finish(deadline_status()); }

Status ClientCallBase::deadline_status() {
  bool on_stream = false;
  each_open_attempt([&](ClientAttempt&) { on_stream = true; });
  if (on_stream) return Status::deadline_exceeded("the deadline passed while the server worked");
  if (holds_ != 0) return Status::deadline_exceeded("the deadline passed while the call waited for an access token");
  if (retries_ != nullptr && !retries_->last_failure().is_ok()) {
    return Status::deadline_exceeded("the deadline passed between two attempts; the last one ended with " +
                                     retries_->last_failure().to_string());
  }
  std::string text = "the deadline passed while the call waited for a connection";
  if (const Status& error = channel_.last_error(); !error.is_ok())
    text.append("; the last error: ").append(error.message());
  return Status::deadline_exceeded(text);
}

void ClientCallBase::on_cancelled() noexcept { finish(context_.status()); }

void ClientCallBase::finish(Status status) {
  if (std::exchange(done_, true)) return;
  status_ = std::move(status);
  hold();
  first_.leave(status_);
  if (retries_ != nullptr) retries_->stop(status_);
  deadline_timer_.disarm();
  if (enlisted_) {
    settled_ = LoopCancel::stop();
    if (pinned_ == nullptr) channel_.delist(*this);
  }
  release();
}

void ClientCallBase::release() {
  if (--holds_ == 0 && done_) on_finished();
}

void ClientCallBase::on_quiet() noexcept {
  settled_ = true;
  if (holds_ == 0) on_settled();
}

void ClientCallBase::reset() {
  assert(done_ && settled_);
  context_ = {};
  options_ = {};
  compressor_ = nullptr;
  status_ = {};
  first_.reset();
  current_ = &first_;
  config_ = nullptr;
  forgo_retries();
  // Its memory stays: an attempt that ended just now is still on the stack maybe.
  if (retries_ != nullptr) std::exchange(retries_, nullptr)->reset();
  if (lender_.has_storage()) lender_ = {};
  wants_tokens_ = false;
  committed_ = false;
  configured_ = false;
  enlisted_ = false;
}

}  // namespace gaggle
