// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gaggle/rpc/client_conn_interface.h"
#include "gaggle/rpc/client_stream_call.h"
#include "gaggle/rpc/service.h"

namespace gaggle {

// The user's end of a streaming call; the call itself is a ClientStreamCall on its own loop. Each
// operation travels there and back as one object in the awaiting frame.
class ClientStreamHandle final : public ClientStream {
 public:
  ClientStreamHandle(ClientChannel& channel, const StreamDesc& desc, const Context& context, std::string_view method,
                     const CallOptions& options);
  ~ClientStreamHandle() override;

  // Waits for a connection.
  Task<Status> open();

  Task<Result<const Metadata*>> header() override;
  const Metadata& trailer() const noexcept override { return call_->trailer_metadata(); }
  using ClientStream::send;
  Task<Result<bool>> send(ConstMessage message, SendOptions options) override;
  Task<Status> close_send() override;
  Task<Result<bool>> recv(Message message) override;
  void cancel() noexcept override { call_->cancel(); }
  Loop& loop() noexcept override { return call_->loop(); }

 private:
  Task<void> end_with(Status why);
  void headers_known();
  void ended() noexcept;
  void note_answer(CallRecord& record, bool is_over);

  ClientStreamCall* const call_;
  CallOptions options_;
  const Codec* codec_ = nullptr;
  const std::string_view method_;
  const Context context_;
  bool header_filled_ = false;
  bool over_ = false;
};

}  // namespace gaggle
