// SPDX-License-Identifier: Apache-2.0
#include "proxy.h"

#include "gaggle/net/when_all.h"
#include "gaggle/rpc/codec.h"
#include "gaggle/rpc/server_stream.h"

using namespace gaggle;

static Task<Status> pass_requests(ServerStream& client, ClientStream& backend, const Context& context) {
  Bytes message;
  for (;;) {
    Task<Result<bool>> reading = client.recv(message_of(message));
    Result<bool> more = co_await in_context(context, std::move(reading));
    if (!more) backend.cancel();
    if (!more) co_return more.error();
    if (!*more) co_return co_await backend.close_send();
    Result<bool> sent = co_await backend.send(message_of(std::as_const(message)));
    if (!sent || !*sent) co_return sent.status();  // the call is over there: the responses say how
  }
}

static Task<Status> pass_responses(ServerStream& client, ClientStream& backend, CancelSource& requests) {
  ServerContext& context = client.context();
  Result<const Metadata*> header = co_await backend.header();
  if (header) {
    for (const auto& [key, value] : **header) static_cast<void>(context.set_header(key, value));
    static_cast<void>(context.send_header());
  }
  Bytes message;
  Status status;
  while (status) {
    Result<bool> more = co_await backend.recv(message_of(message));
    status = more.status();
    if (!more || !*more) break;
    status = co_await client.send(message_of(std::as_const(message)));
  }
  for (const auto& [key, value] : backend.trailer()) static_cast<void>(context.set_trailer(key, value));
  requests.cancel();
  co_return status;
}

Task<Status> Proxy::operator()(ServerStream& client) {
  static constexpr StreamDesc kAnyMethod = {.server_streams = true, .client_streams = true};
  ServerContext& context = client.context();
  Metadata metadata;  // add() refuses what belongs to the connection: ":authority", "user-agent"
  for (const auto& [key, value] : context.metadata()) static_cast<void>(metadata.add(key, value));
  const std::string_view subtype = context.content_subtype();
  const CallOptions options = {.content_subtype = subtype, .codec = &bytes_codec(), .metadata = &metadata};
  auto opening = backend_.new_stream(context, kAnyMethod, context.method(), options);
  Result<std::unique_ptr<ClientStream>> backend = co_await std::move(opening);
  if (!backend) co_return backend.error();
  CancelSource requests(context);
  std::vector<Task<Status>> both;
  both.push_back(pass_responses(client, **backend, requests));
  both.push_back(pass_requests(client, **backend, requests.context()));
  Task<std::vector<Status>> passing = when_all(std::move(both));
  std::vector<Status> ends = co_await std::move(passing);
  co_return ends.front();
}
