// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "gaggle/net/sleep.h"

namespace gaggle {

// --- Text ---

const MessageType* MessageTypeOf<Text>::get() noexcept {
  static constexpr MessageType kTable = {
      .name = "Text",
      .create = [] { return static_cast<void*>(new Text); },
      .destroy = [](void* object) noexcept { delete static_cast<Text*>(object); },
      .clear = [](void* object) noexcept { static_cast<Text*>(object)->value.clear(); },
      .byte_size =
          [](const void* object, size_t* size) {
            const std::string& value = static_cast<const Text*>(object)->value;
            *size = value.size();
            return value != "unencodable";
          },
      .serialize =
          [](const void* object, uint8_t* out) {
            const std::string& value = static_cast<const Text*>(object)->value;
            std::memcpy(out, value.data(), value.size());
          },
      .parse =
          [](void* object, std::span<const uint8_t> encoded) {
            static_cast<Text*>(object)->value.assign(reinterpret_cast<const char*>(encoded.data()), encoded.size());
            return std::ranges::find(encoded, uint8_t{0xff}) == encoded.end();
          },
      .pieces =
          [](const void* object, const Bytes& owner, std::span<const uint8_t> prefix) {
            const std::string& value = static_cast<const Text*>(object)->value;
            std::vector<Bytes> pieces{Bytes::copy_of(prefix)};
            pieces.push_back(owner.sibling({reinterpret_cast<const uint8_t*>(value.data()), value.size()}));
            return pieces;
          },
  };
  return &kTable;
}

// --- TestService ---

namespace {

// The method behind an interceptor, as generated code makes it.
class Next final : public UnaryHandler {
 public:
  explicit Next(TestService& service) : service_(service) {}
  Task<Status> operator()(ServerContext& context, ConstMessage request, Message response) override {
    return service_.unary(service_, context, *static_cast<const Text*>(request.object),
                          *static_cast<Text*>(response.object));
  }

 private:
  TestService& service_;
};

Task<Status> intercepted(TestService& service, ServerContext& context, UnaryServerCall& call,
                         UnaryServerInterceptor& interceptor) {
  Next next(service);
  co_return co_await interceptor.intercept(context, call.request(), call.response(), call.info(), next);
}

Task<Status> handle_unary(void* implementation, ServerContext& context, UnaryServerCall& call,
                          UnaryServerInterceptor* interceptor) {
  auto& service = *static_cast<TestService*>(implementation);
  if (Status status = call.decode(); !status) return Task<Status>::ready(status);
  if (interceptor != nullptr) return intercepted(service, context, call, *interceptor);
  return service.unary(service, context, *static_cast<const Text*>(call.request().object),
                       *static_cast<Text*>(call.response().object));
}

Task<Status> handle_stream(void* implementation, ServerStream& stream) {
  auto& service = *static_cast<TestService*>(implementation);
  return service.stream(service, stream);
}

}  // namespace

const ServiceDesc& TestService::desc() {
  static const MessageType* const kText = message_type<Text>();
  static const MethodDesc kMethods[] = {
      {.name = "Unary", .request_type = kText, .response_type = kText, .handler = handle_unary}};
  static const StreamDesc kStreams[] = {{.name = "ServerStream",
                                         .handler = handle_stream,
                                         .server_streams = true,
                                         .client_streams = false,
                                         .request_type = kText,
                                         .response_type = kText},
                                        {.name = "ClientStream",
                                         .handler = handle_stream,
                                         .server_streams = false,
                                         .client_streams = true,
                                         .request_type = kText,
                                         .response_type = kText},
                                        {.name = "Chat",
                                         .handler = handle_stream,
                                         .server_streams = true,
                                         .client_streams = true,
                                         .request_type = kText,
                                         .response_type = kText}};
  static const ServiceDesc kDesc = {
      .service_name = "test.Service",
      .handler_type = "TestService",
      .fit = [](Service& service) { return static_cast<void*>(dynamic_cast<TestService*>(&service)); },
      .methods = kMethods,
      .streams = kStreams,
      .metadata = "test.proto"};
  return kDesc;
}

Task<Status> TestService::echo(TestService& service, ServerContext&, const Text& request, Text& response) {
  ++service.started;
  response.value = request.value;
  co_return Status::ok();
}

Task<Status> TestService::wait_for_the_end(TestService& service, ServerContext& context, const Text&, Text&) {
  ++service.started;
  service.most_running = std::max(service.most_running, ++service.running);
  Status status = co_await sleep_for(context.loop(), std::chrono::hours{24});
  --service.running;
  service.ended.push_back(status);
  co_return status;
}

Task<Status> TestService::wait_for_gate(TestService& service, ServerContext&, const Text& request, Text& response) {
  ++service.started;
  service.most_running = std::max(service.most_running, ++service.running);
  const Context stubborn;
  for (bool open = false; !open;) {
    auto wait = [](AsyncEvent& gate) -> Task<Status> { co_return co_await gate.wait(); };
    Task<Status> waiting = wait(*service.gate);
    Status status = co_await in_context(stubborn, std::move(waiting));
    open = status.is_ok();
  }
  --service.running;
  response.value = request.value;
  service.ended.push_back(Status::ok());
  co_return Status::ok();
}

Task<Status> TestService::chat(TestService& service, ServerStream& stream) {
  ++service.started;
  service.most_running = std::max(service.most_running, ++service.running);
  Text text;
  Status result;
  for (;;) {
    Result<bool> more = co_await stream.recv(message_of(text));
    result = more.status();
    if (!more || !*more) break;
    service.received.push_back(text.value);
    result = co_await stream.send(message_of(text));
    if (!result) break;
  }
  --service.running;
  service.ended.push_back(result);
  co_return result;
}

// --- ClientCall ---

namespace {

std::string find(const TestFields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

TestFields copy(const http2::HeaderBlock& block) {
  TestFields fields;
  for (const http2::HeaderField& field : block.fields()) fields.emplace_back(field.name, field.value);
  return fields;
}

}  // namespace

std::string ClientCall::header_value(std::string_view name) const { return find(header, name); }

std::string ClientCall::trailer_value(std::string_view name) const {
  return find(trailers_only ? header : trailer, name);
}

std::vector<std::string> ClientCall::messages() const {
  std::vector<std::string> result;
  MessageReader reader;
  std::span<const uint8_t> rest(reinterpret_cast<const uint8_t*>(content.data()), content.size());
  while (reader.next(rest) == MessageReader::Step::kMessage) {
    result.emplace_back(reader.message().begin(), reader.message().end());
  }
  return result;
}

// --- FrameClient ---

FrameClient::FrameClient(std::unique_ptr<ByteStream> stream, const http2::Options& options) {
  options_.http2 = options;
  transport_ =
      std::make_unique<transport::Connection>(std::move(stream), http2::Role::kClient, options_, *this, tallies_);
  transport_->start();
}

FrameClient::~FrameClient() = default;

TestFields FrameClient::request(std::string_view method, const TestFields& more) {
  TestFields fields = {{":method", "POST"},
                       {":scheme", "http"},
                       {":path", "/test.Service/" + std::string(method)},
                       {":authority", "test"},
                       {"content-type", "application/grpc"},
                       {"te", "trailers"}};
  for (const auto& field : more) {
    const auto same = std::ranges::find(fields, field.first, &TestFields::value_type::first);
    if (same != fields.end()) {
      same->second = field.second;
    } else {
      fields.push_back(field);
    }
  }
  return fields;
}

std::string FrameClient::message(std::string_view text) {
  std::string content(kMessagePrefixBytes, '\0');
  write_message_prefix(reinterpret_cast<uint8_t*>(content.data()), text.size());
  return content.append(text);
}

ClientCall& FrameClient::start(const TestFields& fields, bool end) {
  ClientCall& call = calls.emplace_back();
  call.stream = http2().open_stream();
  EXPECT_NE(call.stream, nullptr) << "the server's limit of streams is reached";
  if (call.stream == nullptr) return call;
  call.stream->user = &call;
  std::vector<http2::HeaderOut> out;
  for (const auto& [name, value] : fields)
    out.push_back({.name = name, .value = value, .id = http2::find_header_name(name)});
  EXPECT_EQ(http2().send_headers(*call.stream, out, end), http2::SendResult::kOk);
  flush();
  return call;
}

ClientCall& FrameClient::call(std::string_view method, std::string_view text, const TestFields& more) {
  ClientCall& call = start(request(method, more));
  send(call, message(text), true);
  return call;
}

void FrameClient::send(ClientCall& call, std::string_view content, bool end) {
  if (call.over()) return;
  static_cast<void>(http2().send_data(*call.stream, Bytes::copy_of(content), end));
  flush();
}

void FrameClient::reset(ClientCall& call, http2::ErrorCode code) {
  http2().reset(*call.stream, code);
  call.reset = code;
  flush();
}

void FrameClient::consume(ClientCall& call, size_t bytes) {
  http2().consume(*call.stream, bytes);
  flush();
}

void FrameClient::close() { transport_->close(Status::cancelled("the test closes")); }

void FrameClient::on_headers(http2::Stream& stream, http2::HeaderBlockRef headers, bool end_stream) {
  auto& call = *static_cast<ClientCall*>(stream.user);
  call.header = copy(*headers);
  call.ended = call.trailers_only = end_stream;
}

void FrameClient::on_trailers(http2::Stream& stream, http2::HeaderBlockRef trailers) {
  auto& call = *static_cast<ClientCall*>(stream.user);
  call.trailer = copy(*trailers);
  call.ended = true;
}

void FrameClient::on_data(http2::Stream& stream, std::span<const uint8_t> content, bool end_stream) {
  auto& call = *static_cast<ClientCall*>(stream.user);
  call.content.append(content.begin(), content.end());
  call.ended |= end_stream;
  if (call.arrived.count(content) != 0) http2().message_completed(stream);
  if (consume_) http2().consume(stream, content.size());
}

void FrameClient::on_reset(http2::Stream& stream, http2::ErrorCode code, http2::ResetOrigin) {
  static_cast<ClientCall*>(stream.user)->reset = code;
}

// --- ServerWorld ---

ServerWorld::ServerWorld(ServerOptions options, const PipeOptions& to_server, const PipeOptions& to_client)
    : to_server_(to_server), to_client_(to_client) {
  service.gate = &gate;
  server = *Server::create(loops, std::move(options));
  const Status registered = server->register_service(TestService::desc(), service);
  EXPECT_TRUE(registered.is_ok()) << registered.to_string();
  connect();
}

// After every test: nothing of the server is left when it has been told to stop.
ServerWorld::~ServerWorld() {
  gate.set();
  server->stop();
  settle();
  const ServerCounters counters = server->counters();
  EXPECT_EQ(counters.connections_now, 0u);
  EXPECT_EQ(counters.calls_now, 0u);
  EXPECT_EQ(service.running, 0);
  server.reset();
  settle();
}

FrameClient& ServerWorld::connect(const http2::Options& options) {
  const Loop::Enter enter(world.loop);
  StreamPair pair = make_stream_pair(world.loop, to_server_, to_client_);
  server_pipes.push_back(pair.server.get());
  clients.push_back(std::make_unique<FrameClient>(std::move(pair.client), options));
  const Status served = server->serve(std::move(pair.server));
  EXPECT_TRUE(served.is_ok()) << served.to_string();
  settle();
  return *clients.back();
}

ClientCall& ServerWorld::finish(ClientCall& call) {
  EXPECT_TRUE(world.run_until([&] { return call.over(); })) << "the call never ends";
  return call;
}

}  // namespace gaggle
