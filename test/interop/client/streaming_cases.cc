// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <optional>
#include <string>

#include "client/cases.h"
#include "client/expect.h"
#include "client/stream_steps.h"

namespace gaggle::interop {
namespace {

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
    Task<Status> sending = send(*stream, request);
    Status sent = co_await std::move(sending);
    if (!sent) co_return sent;
  }
  Task<Status> closing = close_and_expect(*stream, kAllRequests);
  co_return co_await std::move(closing);
}

template <class Stream>
Task<Status> expect_all_and_end(Stream& stream) {
  for (const int size : kResponseSizes) {
    Task<Status> expecting = expect_response(stream, size);
    Status came = co_await std::move(expecting);
    if (!came) co_return came;
  }
  Task<Status> ending = expect_end(stream);
  co_return co_await std::move(ending);
}

Task<Status> server_streaming(Session& session) {
  OutputRequest request;
  for (const int size : kResponseSizes) request.add_response_parameters()->set_size(size);
  Task<Result<OutputStream>> opening = session.tests().StreamingOutputCall(session.context(), request);
  Result<OutputStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("StreamingOutputCall", stream.error());
  Task<Status> ending = expect_all_and_end(*stream);
  co_return co_await std::move(ending);
}

Task<Status> send_one(DuplexStream& stream, int request_size, int response_size) {
  OutputRequest request;
  request.add_response_parameters()->set_size(response_size);
  *request.mutable_payload() = zeros(static_cast<size_t>(request_size));
  Task<Status> sending = send(stream, request);
  co_return co_await std::move(sending);
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
  Task<Status> ending = expect_all_and_end(*stream);
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
