// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_testing.h"

#include <algorithm>
#include <utility>

#include "gaggle/net/event.h"
#include "gaggle/net/sleep.h"
#include "gaggle/rpc/framing.h"

namespace gaggle {

const StreamDesc kBidiStream{.name = "Talk", .server_streams = true, .client_streams = true};
const StreamDesc kClientStream{.name = "Collect", .server_streams = false, .client_streams = true};
const StreamDesc kServerStream{.name = "List", .server_streams = true, .client_streams = false};

std::string framed(std::string_view message) {
  std::string out(kMessagePrefixBytes, '\0');
  write_message_prefix(reinterpret_cast<uint8_t*>(out.data()), message.size());
  return out.append(message);
}

// --- ScriptedServer ---

std::string ScriptedServer::Request::header(std::string_view name) const {
  for (const http2::HeaderField& field : headers->fields()) {
    if (field.name == name) return std::string(field.value);
  }
  return {};
}

bool ScriptedServer::Request::has_header(std::string_view name) const {
  return std::ranges::any_of(headers->fields(), [&](const http2::HeaderField& f) { return f.name == name; });
}

std::vector<std::string> ScriptedServer::Request::messages() const {
  std::vector<std::string> all;
  MessageReader reader;
  std::span<const uint8_t> rest(reinterpret_cast<const uint8_t*>(body.data()), body.size());
  while (reader.next(rest) == MessageReader::Step::kMessage) {
    all.emplace_back(reinterpret_cast<const char*>(reader.message().data()), reader.message().size());
  }
  return all;
}

namespace {

transport::Options server_transport(const http2::Options& http2) {
  transport::Options options;
  options.http2 = http2;
  return options;
}

}  // namespace

ScriptedServer::ScriptedServer(std::unique_ptr<PipeStream> stream, const http2::Options& options)
    : options_(server_transport(options)),
      pipe_(stream.get()),
      connection_(
          std::make_unique<transport::Connection>(std::move(stream), http2::Role::kServer, options_, *this, tallies_)) {
  connection_->start();
}

ScriptedServer::~ScriptedServer() = default;

size_t ScriptedServer::open_requests() const {
  return static_cast<size_t>(std::ranges::count_if(requests, [](const auto& r) { return !r->answered && !r->reset; }));
}

void ScriptedServer::on_headers(http2::Stream& stream, http2::HeaderBlockRef headers, bool end_stream) {
  auto request = std::make_unique<Request>();
  request->stream = &stream;
  request->headers = std::move(headers);
  request->ended = end_stream;
  stream.user = request.get();
  requests.push_back(std::move(request));
}

void ScriptedServer::on_trailers(http2::Stream& stream, http2::HeaderBlockRef) {
  static_cast<Request*>(stream.user)->ended = true;
}

void ScriptedServer::on_data(http2::Stream& stream, std::span<const uint8_t> content, bool end_stream) {
  Request& request = *static_cast<Request*>(stream.user);
  request.body.append(reinterpret_cast<const char*>(content.data()), content.size());
  request.ended |= end_stream;
  http2().consume(stream, content.size());
}

void ScriptedServer::on_reset(http2::Stream& stream, http2::ErrorCode code, http2::ResetOrigin) {
  Request& request = *static_cast<Request*>(stream.user);
  request.reset = code;
  finish(request);
}

void ScriptedServer::on_events_done() {}

void ScriptedServer::on_closed(const Status&) {
  closed = true;
  pipe_ = nullptr;
}

void ScriptedServer::finish(Request& request) {
  if (request.stream != nullptr) http2().release(*std::exchange(request.stream, nullptr));
}

void ScriptedServer::send_fields(Request& request, const std::vector<http2::HeaderOut>& fields, bool end) {
  static_cast<void>(http2().send_headers(*request.stream, fields, end));
  if (end) {
    request.answered = true;
    finish(request);
  }
  flush();
}

void ScriptedServer::send_trailer_fields(Request& request, const std::vector<http2::HeaderOut>& fields) {
  static_cast<void>(http2().send_trailers(*request.stream, fields));
  request.answered = true;
  finish(request);
  flush();
}

void ScriptedServer::send_headers(Request& request, std::vector<http2::HeaderOut> more, std::string_view status,
                                  std::string_view content_type, bool end) {
  std::vector<http2::HeaderOut> fields{{":status", status, http2::HeaderName::kStatus}};
  if (!content_type.empty()) fields.push_back({"content-type", content_type, http2::HeaderName::kContentType});
  fields.insert(fields.end(), more.begin(), more.end());
  send_fields(request, fields, end);
}

void ScriptedServer::send_raw(Request& request, std::string_view content, bool end) {
  static_cast<void>(http2().send_data(*request.stream, Bytes::copy_of(content), end));
  if (end) {
    request.answered = true;
    finish(request);
  }
  flush();
}

void ScriptedServer::send_message(Request& request, std::string_view message) { send_raw(request, framed(message)); }

void ScriptedServer::send_trailers(Request& request, std::string_view grpc_status, std::vector<http2::HeaderOut> more) {
  more.insert(more.begin(), {"grpc-status", grpc_status, http2::HeaderName::kGrpcStatus});
  send_trailer_fields(request, more);
}

void ScriptedServer::trailers_only(Request& request, std::string_view grpc_status, std::string_view message) {
  std::vector<http2::HeaderOut> more{{"grpc-status", grpc_status, http2::HeaderName::kGrpcStatus}};
  if (!message.empty()) more.push_back({"grpc-message", message, http2::HeaderName::kGrpcMessage});
  send_headers(request, more, "200", "application/grpc", true);
}

void ScriptedServer::answer(Request& request, std::string_view message) {
  send_headers(request);
  send_message(request, message);
  send_trailers(request, "0");
}

void ScriptedServer::reset(Request& request, http2::ErrorCode code) {
  http2().reset(*request.stream, code);
  request.answered = true;
  finish(request);
  flush();
}

// --- ScriptedNetwork ---

Task<Result<std::unique_ptr<ByteStream>>> ScriptedNetwork::dial(Loop&, Address address, Context) {
  const std::string name = address.to_string();
  dialled.push_back(name);
  const auto found = modes.find(name);
  const Mode now = found == modes.end() ? mode : found->second;
  if (now == Mode::kRefuse) co_return Status::unavailable(name + ": connection refused");
  if (now == Mode::kSilent) {
    AsyncEvent never(loop_);
    Status ended = co_await never.wait();
    co_return ended;
  }
  StreamPair pair = make_stream_pair(loop_);
  if (now == Mode::kMute) {
    raw.push_back(std::move(pair.server));
  } else {
    servers.push_back(std::make_unique<ScriptedServer>(std::move(pair.server), server_options));
  }
  client_pipes.push_back(pair.client.get());
  std::unique_ptr<ByteStream> stream = std::move(pair.client);
  co_return stream;
}

// --- ClientWorld ---

ClientWorld::ClientWorld() { resolve_to({"a:1"}); }

ClientWorld::~ClientWorld() {
  conn.reset();
  time.settle();
}

void ClientWorld::resolve_to(const std::vector<std::string>& addresses) {
  ResolverState state;
  for (const std::string& address : addresses) state.endpoints.push_back({{*Address::parse(address)}});
  resolver.update(std::move(state));
}

ClientConn& ClientWorld::connect(ClientConnOptions options, std::vector<std::string> addresses) {
  resolve_to(addresses);
  if (options.credentials == nullptr) options.credentials = insecure_credentials();
  options.resolvers.push_back(&resolver);
  options.dialer = &network;
  options.random_seed = 1;
  conn = std::move(*ClientConn::create(loops, "manual:///test.example", std::move(options)));
  return *conn;
}

UnaryRun::UnaryRun(ClientWorld& where, const Context& context, std::string_view text, CallOptions options,
                   std::string_view method)
    : world(where), request(Bytes::copy_of(text)), source(context) {
  const Loop::Enter enter(world.time.loop);
  Task<Status> call =
      world.conn->invoke(source.context(), method, message_of(std::as_const(request)), message_of(response), options);
  start(std::move(call), record, background);
}

UnaryRun::~UnaryRun() {
  if (done()) return;
  source.cancel();
  world.settle();
}

}  // namespace gaggle
