// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_stream.h"

#include <utility>

#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/client_outputs.h"

namespace gaggle {

ClientStreamHandle::ClientStreamHandle(ClientChannel& channel, const StreamDesc& desc, const Context& context,
                                       std::string_view method, const CallOptions& options)
    : call_(new ClientStreamCall(channel, desc.client_streams, desc.server_streams)),
      options_(combine_options(channel.options().call_defaults, options)),
      info_{method, &options_},
      hooks_(channel.options().call_defaults.custom, options.custom),
      context_(context) {}

ClientStreamHandle::~ClientStreamHandle() {
  ended(Status::cancelled("the stream was destroyed before its call had ended"));
  call_->detach();
}

Task<Status> ClientStreamHandle::open() {
  if (Status refused = hooks_.before(info_); !refused) {
    ended(refused);
    co_return refused;
  }
  call_->prepare(context_, info_.method, options_);
  ClientStreamOperation operation(*call_, ClientStreamOperation::Kind::kOpen);
  co_await operation;
  if (!operation.status()) ended(operation.status());
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
  ClientStreamOperation operation(*call_, message);
  co_await operation;
  if (operation.refused()) co_return operation.status();
  headers_known();
  if (options_.received_compressed != nullptr) *options_.received_compressed = operation.compressed();
  if (!operation.status() || !operation.more()) ended(operation.status());
  if (!operation.status()) co_return operation.status();
  co_return operation.more();
}

// What the caller wanted to know is written here, on the caller's side: it may not outlive the
// stream, and the call's loop couldn't tell.
void ClientStreamHandle::headers_known() {
  if (std::exchange(header_filled_, true)) return;
  if (options_.header != nullptr) *options_.header = call_->header_metadata();
  if (options_.peer != nullptr) *options_.peer = call_->peer();
}

void ClientStreamHandle::ended(const Status& status) noexcept {
  if (std::exchange(over_, true)) return;
  if (options_.trailer != nullptr && call_->is_opened_and_over()) *options_.trailer = call_->trailer_metadata();
  hooks_.after(info_, status);
}

}  // namespace gaggle
