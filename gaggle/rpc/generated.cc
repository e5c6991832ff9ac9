// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/generated.h"

#include "gaggle/net/block_on.h"

namespace gaggle::generated {

Task<Status> receive_one_request(ServerStream& stream, Message request) {
  Result<bool> received = co_await stream.recv(request);
  if (!received) co_return std::move(received).error();
  if (!*received) co_return Status::unimplemented("the method takes one request; the client sent none");
  // Where it is one, the end of the stream came with it or is on its way.
  Bytes surplus;
  Result<bool> more = co_await stream.recv(message_of(surplus));
  if (!more) co_return std::move(more).error();
  if (*more) co_return Status::unimplemented("the method takes one request; the client sent several");
  co_return Status::ok();
}

Task<Status> unimplemented(std::string_view method) {
  return Task<Status>::ready(Status::unimplemented("method " + std::string{method} + " not implemented"));
}

Task<Result<std::unique_ptr<ClientStream>>> open_untyped_and_send(ClientConnInterface& conn, Context context,
                                                                  const StreamDesc& desc, std::string_view method,
                                                                  ConstMessage request, CallOptions options) {
  Task<Result<std::unique_ptr<ClientStream>>> opening = conn.new_stream(std::move(context), desc, method, options);
  Result<std::unique_ptr<ClientStream>> stream = co_await std::move(opening);
  if (!stream) co_return std::move(stream).error();
  Result<bool> sent = co_await (*stream)->send(request);
  if (!sent) co_return std::move(sent).error();
  co_return std::move(*stream);
}

Task<Status> invoke_in_current_context(ClientConnInterface& conn, std::string_view method, ConstMessage request,
                                       Message response, CallOptions options) {
  const Context& context = co_await current_context();
  Task<Status> call = conn.invoke(context, method, request, response, options);
  co_return co_await std::move(call);
}

Status call_blocking(ClientConnInterface& conn, const Context& context, std::string_view method, ConstMessage request,
                     Message response, const CallOptions& options) {
  return block_on(conn.loop(), invoke_in_current_context(conn, method, request, response, options), context);
}

}  // namespace gaggle::generated
