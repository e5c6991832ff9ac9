// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_stream.h"

#include <utility>

#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/client_codec.h"
#include "gaggle/rpc/client_hooks.h"
#include "gaggle/rpc/client_outputs.h"

namespace gaggle {

ClientStreamHandle::ClientStreamHandle(ClientChannel& channel, const StreamDesc& desc, const Context& context,
                                       std::string_view method, const CallOptions& options)
    : call_(new ClientStreamCall(channel, desc.client_streams, desc.server_streams)),
      options_(combine_options(channel.options().call_defaults, options)),
      method_(method),
      context_(context) {}

ClientStreamHandle::~ClientStreamHandle() {
  ended();
  call_->detach();
}

Task<Status> ClientStreamHandle::open() {
  if (wants_codec(options_)) {
    if (Status unknown = choose_codec(call_->channel(), options_, codec_); !unknown) co_return unknown;
  }
  call_->prepare(context_, method_, options_);
  ClientStreamOperation operation(*call_, ClientStreamOperation::Kind::kOpen);
  co_await operation;
  co_return operation.status();
}

Task<Result<const Metadata*>> ClientStreamHandle::header() {
  ClientStreamOperation operation(*call_, ClientStreamOperation::Kind::kHeader);
  co_await operation;
  if (!operation.status()) co_return operation.status();
  headers_known();
  co_return &call_->header_metadata();
}

Task<Result<bool>> ClientStreamHandle::send(ConstMessage message, SendOptions options) {
  Bytes encoded;
  if (codec_ != nullptr) {
    Result<Bytes> made = marshal_with(*codec_, message);
    if (!made) {
      Task<void> ending = end_with(made.error());
      co_await std::move(ending);
      co_return made.error();
    }
    encoded = *std::move(made);
    message = message_of(std::as_const(encoded));
  }
  ClientStreamOperation operation(*call_, message, options);
  co_await operation;
  if (!operation.status()) co_return operation.status();
  co_return operation.more();
}

Task<Status> ClientStreamHandle::close_send() {
  ClientStreamOperation operation(*call_, ClientStreamOperation::Kind::kClose);
  co_await operation;
  co_return operation.status();
}

Task<Result<bool>> ClientStreamHandle::recv(Message message) {
  ClientStreamOperation operation(*call_, message, codec_);
  co_await operation;
  if (operation.refused()) co_return operation.status();
  headers_known();
  if (options_.received_compressed != nullptr) *options_.received_compressed = operation.compressed();
  if (!operation.status() || !operation.more()) ended();
  if (!operation.status()) co_return operation.status();
  co_return operation.more();
}

// The codec couldn't write a message: the call ends here.
Task<void> ClientStreamHandle::end_with(Status why) {
  ClientStreamOperation operation(*call_, std::move(why));
  co_await operation;
  ended();
}

// What the caller wanted to know is written here, on the caller's side: it may not outlive the
// stream, and the call's loop couldn't tell.
void ClientStreamHandle::headers_known() {
  if (std::exchange(header_filled_, true)) return;
  if (options_.header != nullptr) *options_.header = call_->header_metadata();
  if (options_.peer != nullptr) *options_.peer = call_->peer();
}

void ClientStreamHandle::ended() noexcept {
  if (std::exchange(over_, true)) return;
  const bool is_over = call_->is_opened_and_over();
  if (options_.trailer != nullptr && is_over) *options_.trailer = call_->trailer_metadata();
  if (options_.record != nullptr) note_answer(*options_.record, is_over);
}

// While the call isn't over, only what its headers made known may be looked at from here.
void ClientStreamHandle::note_answer(CallRecord& record, bool is_over) {
  CallAttempt attempt;
  attempt.attempts = call_->attempts();
  attempt.has_header = is_over ? call_->headers_came() : header_filled_;
  if (attempt.has_header) attempt.header = call_->header_metadata();
  if (is_over) attempt.trailer = call_->trailer_metadata();
  if (is_over || header_filled_) record.set_peer(call_->peer());
  record.set_answer(std::move(attempt));
}

}  // namespace gaggle
