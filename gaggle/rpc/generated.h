// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gaggle/net/block_on.h"
#include "gaggle/net/spawn.h"
#include "gaggle/net/task.h"
#include "gaggle/rpc/client_conn_interface.h"
#include "gaggle/rpc/protobuf.h"
#include "gaggle/rpc/server_stream.h"
#include "gaggle/rpc/service.h"
#include "gaggle/rpc/streams.h"

// What generated code is made of. Code that protoc-gen-gaggle wrote includes this file and calls what
// is here; a descriptor written by hand may too.

namespace gaggle::generated {

// ---- Servers: from a method of a class to the handler of its descriptor.

// The parts of a method's signature.
template <class Method>
struct MethodTraits;

template <class S, class Req, class Res>
struct MethodTraits<Task<Status> (S::*)(ServerContext&, const Req&, Res&)> {
  using Server = S;
  using Request = Req;
  using Response = Res;
  static constexpr bool kServerStreams = false;
  static constexpr bool kClientStreams = false;
};
template <class S, class Req, class Res>
struct MethodTraits<Task<Status> (S::*)(ServerContext&, const Req&, ServerStreamingServer<Res>&)> {
  using Server = S;
  using Request = Req;
  using Response = Res;
  static constexpr bool kServerStreams = true;
  static constexpr bool kClientStreams = false;
};
template <class S, class Req, class Res>
struct MethodTraits<Task<Status> (S::*)(ServerContext&, ClientStreamingServer<Req>&, Res&)> {
  using Server = S;
  using Request = Req;
  using Response = Res;
  static constexpr bool kServerStreams = false;
  static constexpr bool kClientStreams = true;
};
template <class S, class Req, class Res>
struct MethodTraits<Task<Status> (S::*)(ServerContext&, BidiStreamingServer<Req, Res>&)> {
  using Server = S;
  using Request = Req;
  using Response = Res;
  static constexpr bool kServerStreams = true;
  static constexpr bool kClientStreams = true;
};

template <auto method>
using TraitsOf = MethodTraits<decltype(method)>;

template <auto method>
Task<Status> call_unary(void* server, ServerContext& context, ConstMessage request, Message response) {
  using Traits = TraitsOf<method>;
  return (static_cast<typename Traits::Server*>(server)->*method)(
      context, *static_cast<const typename Traits::Request*>(request.object),
      *static_cast<typename Traits::Response*>(response.object));
}

// The method at the end of a chain of interceptors, which may have replaced the messages.
template <auto method>
class LastHandler final : public UnaryHandler {
 public:
  explicit LastHandler(void* server) : server_(server) {}
  Task<Status> operator()(ServerContext& context, ConstMessage request, Message response) override {
    using Traits = TraitsOf<method>;
    if (request.type != message_type<typename Traits::Request>() ||
        response.type != message_type<typename Traits::Response>()) {
      return Task<Status>::ready(Status::internal("an interceptor passed on a message of another type"));
    }
    return call_unary<method>(server_, context, request, response);
  }

 private:
  void* server_;
};

template <auto method>
Task<Status> intercept_unary(void* server, ServerContext& context, UnaryServerCall& call,
                             UnaryServerInterceptor& interceptor) {
  LastHandler<method> next{server};
  Task<Status> rest = interceptor.intercept(context, call.request(), call.response(), call.info(), next);
  co_return co_await std::move(rest);
}

// Without an interceptor, the task is the method's own: no frame of ours around it.
template <auto method>
Task<Status> handle_unary(void* server, ServerContext& context, UnaryServerCall& call,
                          UnaryServerInterceptor* interceptor) {
  if (Status decoded = call.decode(); !decoded) return Task<Status>::ready(std::move(decoded));
  if (interceptor != nullptr) return intercept_unary<method>(server, context, call, *interceptor);
  return call_unary<method>(server, context, call.request(), call.response());
}

// Reads the one request of a call whose client doesn't stream. UNIMPLEMENTED for none or several, as
// gRPC's status codes say of a wrong number of messages.
Task<Status> receive_one_request(ServerStream& stream, Message request);

// One side sends one message, which lies in this frame.
template <auto method>
Task<Status> handle_one_sided(typename TraitsOf<method>::Server* server, ServerStream& stream) {
  using Traits = TraitsOf<method>;
  using Request = typename Traits::Request;
  using Response = typename Traits::Response;
  if constexpr (Traits::kServerStreams) {
    Request request;
    Status received = co_await receive_one_request(stream, message_of(request));
    if (!received) co_return received;
    co_return co_await (server->*method)(stream.context(), request, stream.view<ServerStreamingServer<Response>>());
  } else {
    Response response;
    Status status =
        co_await (server->*method)(stream.context(), stream.view<ClientStreamingServer<Request>>(), response);
    if (!status) co_return status;
    co_return co_await stream.send(message_of(std::as_const(response)));
  }
}

// If both sides stream, the task is the method's own: no frame of ours around it.
template <auto method>
Task<Status> handle_stream(void* implementation, ServerStream& stream) {
  using Traits = TraitsOf<method>;
  auto* server = static_cast<typename Traits::Server*>(implementation);
  if constexpr (Traits::kClientStreams && Traits::kServerStreams) {
    using Typed = BidiStreamingServer<typename Traits::Request, typename Traits::Response>;
    return (server->*method)(stream.context(), stream.view<Typed>());
  } else {
    return handle_one_sided<method>(server, stream);
  }
}

template <auto method>
consteval MethodDesc unary_method(std::string_view name) {
  using Traits = TraitsOf<method>;
  return {.name = name,
          .request_type = message_type<typename Traits::Request>(),
          .response_type = message_type<typename Traits::Response>(),
          .handler = handle_unary<method>};
}

template <auto method>
consteval StreamDesc stream_method(std::string_view name) {
  using Traits = TraitsOf<method>;
  return {.name = name,
          .handler = handle_stream<method>,
          .server_streams = Traits::kServerStreams,
          .client_streams = Traits::kClientStreams,
          .request_type = message_type<typename Traits::Request>(),
          .response_type = message_type<typename Traits::Response>()};
}

// ServiceDesc::fit for a server class.
template <class Server>
void* fit(Service& implementation) {
  return dynamic_cast<Server*>(&implementation);
}

// The answer of a method that nobody has written.
Task<Status> unimplemented(std::string_view method);

// ---- Clients.

// The options of a call whose method's name is written in the code that makes it.
inline CallOptions of_static_method(CallOptions options) noexcept {
  options.static_method = true;
  return options;
}

// Opens a call whose client streams; Stream is the typed stream to wrap it in.
template <class Stream>
Task<Result<Stream>> open_stream(ClientConnInterface& conn, Context context, const StreamDesc& desc,
                                 std::string_view method, CallOptions options) {
  Task<Result<std::unique_ptr<ClientStream>>> opening = conn.new_stream(std::move(context), desc, method, options);
  Result<std::unique_ptr<ClientStream>> stream = co_await std::move(opening);
  if (!stream) co_return std::move(stream).error();
  co_return Stream{*std::move(stream)};
}

// Opens a call whose client doesn't stream and sends its one request, which half-closes. When the
// call is over by then, the stream is given all the same: recv has the status.
Task<Result<std::unique_ptr<ClientStream>>> open_untyped_and_send(ClientConnInterface& conn, Context context,
                                                                  const StreamDesc& desc, std::string_view method,
                                                                  ConstMessage request, CallOptions options);

template <class Stream>
Task<Result<Stream>> open_and_send(ClientConnInterface& conn, Context context, const StreamDesc& desc,
                                   std::string_view method, ConstMessage request, CallOptions options) {
  Task<Result<std::unique_ptr<ClientStream>>> opening =
      open_untyped_and_send(conn, std::move(context), desc, method, request, options);
  Result<std::unique_ptr<ClientStream>> stream = co_await std::move(opening);
  if (!stream) co_return std::move(stream).error();
  co_return Stream{*std::move(stream)};
}

// The further forms of a method make the same call for the context of the task that awaits it, which
// ends with the token's slot.
Task<Status> invoke_in_current_context(ClientConnInterface& conn, std::string_view method, ConstMessage request,
                                       Message response, CallOptions options);

// `request` is empty when the client streams.
template <class Stream>
Task<Result<Stream>> open_in_current_context(ClientConnInterface& conn, const StreamDesc& desc, std::string_view method,
                                             ConstMessage request, CallOptions options) {
  const Context& context = co_await current_context();
  Task<Result<Stream>> opening = desc.client_streams
                                     ? open_stream<Stream>(conn, context, desc, method, options)
                                     : open_and_send<Stream>(conn, context, desc, method, request, options);
  co_return co_await std::move(opening);
}

// With an Asio completion token: completes with the Status, or the Result with the stream, always by a
// post, on the token's executor or else on the connection's loop. Cancellation through the token's
// slot cancels the call.
template <class Token>
auto call_with_token(ClientConnInterface& conn, const Context& context, std::string_view method, ConstMessage request,
                     Message response, const CallOptions& options, Token&& token) {
  return spawn(conn.loop(), invoke_in_current_context(conn, method, request, response, options), context,
               std::forward<Token>(token));
}
template <class Stream, class Token>
auto open_with_token(ClientConnInterface& conn, const Context& context, const StreamDesc& desc, std::string_view method,
                     ConstMessage request, const CallOptions& options, Token&& token) {
  return spawn(conn.loop(), open_in_current_context<Stream>(conn, desc, method, request, options), context,
               std::forward<Token>(token));
}

// For threads without a loop: blocks until it has completed. FAILED_PRECONDITION, and no call, on a
// loop's thread.
Status call_blocking(ClientConnInterface& conn, const Context& context, std::string_view method, ConstMessage request,
                     Message response, const CallOptions& options);
template <class Stream>
Result<Stream> open_blocking(ClientConnInterface& conn, const Context& context, const StreamDesc& desc,
                             std::string_view method, ConstMessage request, const CallOptions& options) {
  return block_on(conn.loop(), open_in_current_context<Stream>(conn, desc, method, request, options), context);
}

}  // namespace gaggle::generated
