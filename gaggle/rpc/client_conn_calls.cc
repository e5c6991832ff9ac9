// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_conn_calls.h"

#include <utility>

#include "gaggle/rpc/client_codec.h"
#include "gaggle/rpc/client_outputs.h"
#include "gaggle/rpc/client_stream.h"
#include "gaggle/rpc/client_unary.h"

namespace gaggle {
namespace {

Task<Status> invoke_plain(ClientChannel& channel, Context context, std::string_view method, ConstMessage request,
                          Message response, CallOptions options) {
  ClientUnaryOperation operation(channel, context, method, request, response, options);
  Status status = co_await operation;
  co_return status;
}

Task<Status> invoke_encoded(ClientChannel& channel, Context context, std::string_view method, ConstMessage request,
                            Message response, CallOptions options) {
  const Codec* codec = nullptr;
  if (Status unknown = choose_codec(channel, options, codec); !unknown) co_return unknown;
  Bytes encoded;
  if (codec != nullptr) {
    Result<Bytes> made = marshal_with(*codec, request);
    if (!made) co_return made.error();
    encoded = *std::move(made);
    request = message_of(std::as_const(encoded));
  }
  ClientUnaryOperation operation(channel, context, method, request, response, options, codec);
  Status status = co_await operation;
  co_return status;
}

Task<Status> invoke_on(ClientChannel& channel, Context context, std::string_view method, ConstMessage request,
                       Message response, const CallOptions& options) {
  const CallOptions combined = combine_options(channel.options().call_defaults, options);
  const auto invoke = wants_codec(combined) ? invoke_encoded : invoke_plain;
  return invoke(channel, std::move(context), method, request, response, combined);
}

Task<Result<std::unique_ptr<ClientStream>>> new_stream_on(ClientChannel& channel, Context context,
                                                          const StreamDesc& desc, std::string_view method,
                                                          CallOptions options) {
  auto stream = std::make_unique<ClientStreamHandle>(channel, desc, context, method, options);
  Status opened = co_await stream->open();
  if (!opened) co_return opened;
  std::unique_ptr<ClientStream> result = std::move(stream);
  co_return result;
}

// What lies below a connection's interceptors: only hooks that came on the way stand above its calls.
class BelowInterceptors final : public ClientConnInterface, public std::enable_shared_from_this<BelowInterceptors> {
 public:
  explicit BelowInterceptors(Ref<ClientChannel> channel) : channel_(std::move(channel)) {}
  Task<Status> invoke(Context context, std::string_view method, ConstMessage request, Message response,
                      CallOptions options) override {
    if (!options.custom.empty() || !options.on_finish.empty()) {
      return chained().invoke(std::move(context), method, request, response, options);
    }
    return invoke_on(*channel_, std::move(context), method, request, response, options);
  }
  Task<Result<std::unique_ptr<ClientStream>>> new_stream(Context context, const StreamDesc& desc,
                                                         std::string_view method, CallOptions options) override {
    if (!options.custom.empty() || !options.on_finish.empty()) {
      return chained().new_stream(std::move(context), desc, method, options);
    }
    return new_stream_on(*channel_, std::move(context), desc, method, options);
  }
  Loop& loop() noexcept override { return channel_->loop(); }

 private:
  ChainedCalls chained() {
    return {channel_, std::make_shared<const ClientCallChain>(ClientInterceptors{}, CallHookLists{}, shared_from_this(),
                                                              shared_from_this())};
  }
  const Ref<ClientChannel> channel_;
};

// For calls that interceptors make themselves.
class PastInterceptors final : public ClientConnInterface {
 public:
  explicit PastInterceptors(ChainedCalls calls) : calls_(std::move(calls)) {}
  Task<Status> invoke(Context context, std::string_view method, ConstMessage request, Message response,
                      CallOptions options) override {
    options.record = nullptr;  // of another call, maybe
    return calls_.invoke(std::move(context), method, request, response, options);
  }
  Task<Result<std::unique_ptr<ClientStream>>> new_stream(Context context, const StreamDesc& desc,
                                                         std::string_view method, CallOptions options) override {
    options.record = nullptr;
    return calls_.new_stream(std::move(context), desc, method, options);
  }
  Loop& loop() noexcept override { return calls_.channel->loop(); }

 private:
  const ChainedCalls calls_;
};

}  // namespace

Task<Status> ChainedCalls::invoke(Context context, std::string_view method, ConstMessage request, Message response,
                                  const CallOptions& options) const {
  if (chain->is_empty_for_unary(options)) {
    return invoke_on(*channel, std::move(context), method, request, response, options);
  }
  const CallOptions combined = combine_options(channel->options().call_defaults, options);
  return ClientCallChain::invoke(chain, std::move(context), method, request, response, combined);
}

Task<Result<std::unique_ptr<ClientStream>>> ChainedCalls::new_stream(Context context, const StreamDesc& desc,
                                                                     std::string_view method,
                                                                     const CallOptions& options) const {
  if (chain->is_empty_for_stream(options)) {
    return new_stream_on(*channel, std::move(context), desc, method, options);
  }
  const CallOptions combined = combine_options(channel->options().call_defaults, options);
  return ClientCallChain::new_stream(chain, std::move(context), desc, method, combined);
}

ChainedCalls chain_calls(const Ref<ClientChannel>& channel) {
  const ClientConnOptions& options = channel->options();
  const CallHookLists hooks{options.call_defaults.custom, options.call_defaults.on_finish};
  auto below = std::make_shared<BelowInterceptors>(channel);
  auto only_hooks = std::make_shared<const ClientCallChain>(ClientInterceptors{}, hooks, below, below);
  auto past = std::make_shared<PastInterceptors>(ChainedCalls{channel, std::move(only_hooks)});
  ClientInterceptors interceptors{options.unary_interceptors, options.stream_interceptors};
  return {channel, std::make_shared<const ClientCallChain>(std::move(interceptors), hooks, below, std::move(past))};
}

}  // namespace gaggle
