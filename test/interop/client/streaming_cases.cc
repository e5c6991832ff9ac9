// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <optional>
#include <string>

#include "client/cases.h"
#include "client/expect.h"

namespace gaggle::interop {
namespace {

using InputRequest = grpc::testing::StreamingInputCallRequest;
using InputResponse = grpc::testing::StreamingInputCallResponse;
using OutputRequest = grpc::testing::StreamingOutputCallRequest;
using OutputResponse = grpc::testing::StreamingOutputCallResponse;
using InputStream = ClientStreamingClient<InputRequest, InputResponse>;
using OutputStream = ServerStreamingClient<OutputResponse>;
using DuplexStream = BidiStreamingClient<OutputRequest, OutputResponse>;

constexpr std::array<int, 4> kRequestSizes = {27182, 8, 1828, 45904};
constexpr std::array<int, 4> kResponseSizes = {31415, 9, 2653, 58979};
constexpr int kAllRequests = 74922;

Task<Status> client_streaming(Session& session) {
  Task<Result<InputStream>> opening = session.tests().StreamingInputCall(session.context());
  Result<InputStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("StreamingInputCall", stream.error());
  for (const int size : kRequestSizes) {
    InputRequest request;
    *request.mutable_payload() = zeros(static_cast<size_t>(size));
    Task<Result<bool>> sending = stream->send(request);
    const Result<bool> sent = co_await std::move(sending);
    if (!sent || !*sent) co_return unmet("a message couldn't be sent");
  }
  InputResponse response;
  Task<Status> closing = stream->close_and_recv(response);
  const Status status = co_await std::move(closing);
  if (!status) co_return expect_ok("StreamingInputCall", status);
  co_return expect_equal<int>("aggregated_payload_size", response.aggregated_payload_size(), kAllRequests);
}

// That the next thing to come is OK's end.
template <class Stream>
Task<Status> expect_end(Stream& stream) {
  OutputResponse response;
  Task<Result<bool>> receiving = stream.recv(response);
  const Result<bool> more = co_await std::move(receiving);
  if (!more) co_return expect_ok("the call", more.error());
  co_return *more ? unmet("a response too many") : Status::ok();
}

template <class Stream>
Task<Status> expect_response(Stream& stream, int size) {
  OutputResponse response;
  Task<Result<bool>> receiving = stream.recv(response);
  const Result<bool> more = co_await std::move(receiving);
  if (!more) co_return expect_ok("the call", more.error());
  if (!*more) co_return unmet("a response is missing");
  co_return expect_zeros("a response", response.payload(), static_cast<size_t>(size));
}

Task<Status> server_streaming(Session& session) {
  OutputRequest request;
  for (const int size : kResponseSizes) request.add_response_parameters()->set_size(size);
  Task<Result<OutputStream>> opening = session.tests().StreamingOutputCall(session.context(), request);
  Result<OutputStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("StreamingOutputCall", stream.error());
  for (const int size : kResponseSizes) {
    Task<Status> expecting = expect_response(*stream, size);
    Status came = co_await std::move(expecting);
    if (!came) co_return came;
  }
  Task<Status> ending = expect_end(*stream);
  co_return co_await std::move(ending);
}

Task<Status> send_one(DuplexStream& stream, int request_size, int response_size) {
  OutputRequest request;
  request.add_response_parameters()->set_size(response_size);
  *request.mutable_payload() = zeros(static_cast<size_t>(request_size));
  Task<Result<bool>> sending = stream.send(request);
  const Result<bool> sent = co_await std::move(sending);
  co_return sent && *sent ? Status::ok() : unmet("a message couldn't be sent");
}

Task<Status> half_close_and_end(DuplexStream& stream) {
  Task<Status> closing = stream.close_send();
  Status closed = co_await std::move(closing);
  if (!closed) co_return closed;
  Task<Status> ending = expect_end(stream);
  co_return co_await std::move(ending);
}

Task<Status> ping_pong(Session& session) {
  Task<Result<DuplexStream>> opening = session.tests().FullDuplexCall(session.context());
  Result<DuplexStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("FullDuplexCall", stream.error());
  for (size_t i = 0; i < kRequestSizes.size(); ++i) {
    Task<Status> sending = send_one(*stream, kRequestSizes[i], kResponseSizes[i]);
    Status sent = co_await std::move(sending);
    if (!sent) co_return sent;
    Task<Status> expecting = expect_response(*stream, kResponseSizes[i]);
    Status came = co_await std::move(expecting);
    if (!came) co_return came;
  }
  Task<Status> ending = half_close_and_end(*stream);
  co_return co_await std::move(ending);
}

Task<Status> half_duplex(Session& session) {
  Task<Result<DuplexStream>> opening = session.tests().HalfDuplexCall(session.context());
  Result<DuplexStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("HalfDuplexCall", stream.error());
  for (size_t i = 0; i < kRequestSizes.size(); ++i) {
    Task<Status> sending = send_one(*stream, kRequestSizes[i], kResponseSizes[i]);
    Status sent = co_await std::move(sending);
    if (!sent) co_return sent;
  }
  Task<Status> closing = stream->close_send();
  Status closed = co_await std::move(closing);
  if (!closed) co_return closed;
  for (const int size : kResponseSizes) {
    Task<Status> expecting = expect_response(*stream, size);
    Status came = co_await std::move(expecting);
    if (!came) co_return came;
  }
  Task<Status> ending = expect_end(*stream);
  co_return co_await std::move(ending);
}

Task<Status> empty_stream(Session& session) {
  Task<Result<DuplexStream>> opening = session.tests().FullDuplexCall(session.context());
  Result<DuplexStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("FullDuplexCall", stream.error());
  Task<Status> ending = half_close_and_end(*stream);
  co_return co_await std::move(ending);
}

constexpr Case kCases[] = {
    {"client_streaming", client_streaming}, {"server_streaming", server_streaming}, {"ping_pong", ping_pong},
    {"half_duplex", half_duplex},           {"empty_stream", empty_stream},
};

}  // namespace

std::span<const Case> streaming_cases() { return kCases; }

}  // namespace gaggle::interop
