// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <string_view>

#include "gaggle/base/bytes.h"
#include "gaggle/base/context.h"
#include "gaggle/base/status.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/task_promise.h"
#include "gaggle/rpc/client_call.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/framing.h"
#include "gaggle/rpc/message.h"

namespace gaggle {

class ClientUnaryOperation;

// A call with one message each way. Pooled: in steady state making one allocates nothing.
class ClientUnaryCall final : public ClientCallBase {
 public:
  explicit ClientUnaryCall(ClientChannel& channel) : ClientCallBase(channel) {}
  ~ClientUnaryCall() override = default;

  void run(ClientUnaryOperation& operation);

 private:
  Status prepare_request() override;
  void send_request(ClientAttempt& attempt) override;
  void on_opened(ClientAttempt& attempt) override;
  void on_options_changed() override { reader_.reset(receive_limit()); }
  void on_committed() override;
  void on_response_headers() override { reader_.allow_compressed(decompressor() != nullptr); }
  void take_content(std::span<const uint8_t> content) override;
  Status conclude(Status status) override;
  void on_finished() override;
  void on_settled() override;

  size_t receive_limit() const;
  bool keep_request();

  ClientUnaryOperation* operation_ = nullptr;  // until it's done
  size_t request_bytes_ = 0;
  Bytes kept_;  // the request as it was sent, once several attempts need it
  bool received_ = false;
  MessageReader reader_;
};

// `Status status = co_await operation`: one unary call, awaited on any loop. Lies in the awaiting
// frame; context, request and response outlive it. `codec` reads the answer; null: the response does.
class ClientUnaryOperation final : private LoopWork {
 public:
  ClientUnaryOperation(ClientChannel& channel, const Context& context, std::string_view method, ConstMessage request,
                       Message response, const CallOptions& options, const Codec* codec = nullptr) noexcept
      : channel_(channel),
        context_(context),
        method_(method),
        request_(request),
        response_(response),
        options_(options),
        codec_(codec) {}

  bool await_ready() {
    if (Loop::current() != &channel_.loop()) return false;
    begin();
    return done_;
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    handle_ = handle;
    promise_ = &handle.promise();
    caller_ = Loop::current();
    if (begun_) return;
    keep_ = Ref<ClientChannel>::share(&channel_);
    channel_.loop().post(*this);
  }
  Status await_resume() noexcept { return std::move(result_); }

 private:
  friend class ClientUnaryCall;
  void begin();
  void complete(const Status& result) noexcept;
  void run_on_loop() noexcept override;
  void on_dropped() noexcept override { promise_->abandon(); }

  ClientChannel& channel_;
  const Context& context_;
  const std::string_view method_;
  const ConstMessage request_;
  const Message response_;
  const CallOptions& options_;
  const Codec* const codec_;

  std::coroutine_handle<> handle_;
  TaskPromiseBase* promise_ = nullptr;
  Loop* caller_ = nullptr;
  Ref<ClientChannel> keep_;  // while on its way to another loop
  bool begun_ = false;
  bool starting_ = false;
  bool done_ = false;
  Status result_;
};

}  // namespace gaggle
