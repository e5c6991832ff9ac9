// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/method_call.h"

#include <cstdint>
#include <future>
#include <memory>
#include <ostream>
#include <utility>

#include "gaggle/cli/json_messages.h"
#include "gaggle/net/block_on.h"
#include "gaggle/net/spawn.h"
#include "gaggle/rpc/service.h"

namespace gaggle::cli {
namespace {

using Value = JsonReader::Value;

Result<Bytes> encode(JsonMessages& messages, const Value& value) {
  Result<Bytes> encoded = messages.encode(value.text);
  if (encoded) return encoded;
  return Status(encoded.error().code(),
                "the request at " + value.begin.to_string() + ": " + std::string(encoded.error().message()));
}

// The one request of a method whose client doesn't stream.
Result<Bytes> read_one(JsonReader& input, JsonMessages& messages) {
  Result<std::optional<Value>> first = input.next();
  if (!first) return std::move(first).error();
  if (!*first) return Bytes();
  Result<Bytes> encoded = encode(messages, **first);
  if (!encoded) return encoded;
  Result<std::optional<Value>> second = input.next();
  if (!second) return std::move(second).error();
  if (!*second) return encoded;
  return Status::invalid_argument("the method takes one request, and another one begins at " +
                                  (*second)->begin.to_string());
}

Task<Status> receive(ClientStream& stream, const google::protobuf::Descriptor& type, std::ostream& output) {
  JsonMessages messages(type);
  for (;;) {
    Bytes encoded;
    Result<bool> more = co_await stream.recv(message_of(encoded));
    if (!more) co_return std::move(more).error();
    if (!*more) co_return Status::ok();
    Result<std::string> json = messages.to_json(encoded);
    if (json) output << *json << std::endl;
    if (json && output) continue;
    stream.cancel();
    co_return json ? Status::data_loss("an answer couldn't be written to standard output") : json.error();
  }
}

// Sends until there is nothing more to send, or the call is over. An error is one of the input.
Status send_all(ClientStream& stream, Loop& loop, JsonReader& input, JsonMessages& messages) {
  for (;;) {
    Result<std::optional<Value>> value = input.next();
    if (!value) return std::move(value).error();
    if (!*value) break;
    const Result<Bytes> encoded = encode(messages, **value);
    if (!encoded) return encoded.error();
    const Result<bool> sent = block_on(loop, stream.send(message_of(*encoded)));
    if (!sent || !*sent) return Status::ok();  // recv has the call's status
  }
  [[maybe_unused]] const Status closed = block_on(loop, stream.close_send());
  return Status::ok();
}

Status exchange(const MethodCall& call, ClientStream& stream, JsonReader& input, JsonMessages& requests,
                const Bytes* only_request) {
  Loop& loop = call.conn.loop();
  std::promise<Status> ended;
  std::future<Status> end = ended.get_future();
  spawn(loop, receive(stream, *call.method.output_type(), call.output), [&](Status status) {
    call.on_end();
    ended.set_value(std::move(status));
  });
  Status bad_input;
  if (only_request != nullptr) {
    [[maybe_unused]] const Result<bool> sent = block_on(loop, stream.send(message_of(*only_request)));
  } else {
    bad_input = send_all(stream, loop, input, requests);
    if (!bad_input) stream.cancel();
  }
  Status status = end.get();
  return bad_input ? status : bad_input;
}

}  // namespace

Result<MethodName> parse_method_name(std::string_view text) {
  const std::string_view whole = text;
  if (text.starts_with('/')) text.remove_prefix(1);
  size_t split = text.find('/');
  if (split == std::string_view::npos) split = text.rfind('.');
  const auto bad = [&] {
    return Status::invalid_argument("\"" + std::string(whole) + "\" is no method; it's written package.Service/Method");
  };
  if (split == std::string_view::npos) return bad();
  MethodName name{std::string(text.substr(0, split)), std::string(text.substr(split + 1))};
  if (name.service.empty() || name.method.empty() || name.method.find_first_of("/.") != std::string::npos) return bad();
  return name;
}

Status run(const MethodCall& call) {
  const auto& method = call.method;
  JsonReader input(call.input);
  JsonMessages requests(*method.input_type());
  Bytes only_request;
  if (!method.client_streaming()) {
    Result<Bytes> request = read_one(input, requests);
    if (!request) return std::move(request).error();
    only_request = *std::move(request);
  }
  const StreamDesc desc = {.name = method.name(),
                           .server_streams = method.server_streaming(),
                           .client_streams = method.client_streaming(),
                           .request_type = message_type<Bytes>(),
                           .response_type = message_type<Bytes>()};
  const std::string path = "/" + method.service()->full_name() + "/" + method.name();
  CallOptions options;
  options.metadata = &call.metadata;
  options.max_receive_bytes = size_t{INT32_MAX};
  Result<std::unique_ptr<ClientStream>> stream =
      block_on(call.conn.loop(), call.conn.new_stream(call.context, desc, path, options));
  if (!stream) return std::move(stream).error();
  return exchange(call, **stream, input, requests, method.client_streaming() ? nullptr : &only_request);
}

}  // namespace gaggle::cli
