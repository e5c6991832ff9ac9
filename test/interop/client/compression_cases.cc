// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "client/cases.h"
#include "client/expect.h"
#include "client/stream_steps.h"

namespace gaggle::interop {
namespace {

using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;

constexpr size_t kRequestBytes = 271828;
constexpr int kResponseBytes = 314159;

Task<Status> call_large(Session& session, const SimpleRequest& request, CallOptions options) {
  SimpleResponse response;
  Task<Status> calling = session.tests().UnaryCall(session.context(), request, response, options);
  Status status = co_await std::move(calling);
  if (!status) co_return status;
  co_return expect_zeros("the response", response.payload(), static_cast<size_t>(kResponseBytes));
}

SimpleRequest large_request() {
  SimpleRequest request;
  request.set_response_size(kResponseBytes);
  *request.mutable_payload() = zeros(kRequestBytes);
  return request;
}

// First a probe: a server that doesn't notice that a message isn't compressed proves nothing later.
Task<Status> client_compressed_unary(Session& session) {
  SimpleRequest request = large_request();
  request.mutable_expect_compressed()->set_value(true);
  const CallOptions plain{}, gzip{.compressor = "gzip"};
  Task<Status> probing = call_large(session, request, plain);
  const Status probed = co_await std::move(probing);
  if (Status same = expect_code("the probe", probed, StatusCode::kInvalidArgument); !same) co_return same;
  Task<Status> compressing = call_large(session, request, gzip);
  const Status compressed = co_await std::move(compressing);
  if (!compressed) co_return expect_ok("the compressed call", compressed);
  request.mutable_expect_compressed()->set_value(false);
  Task<Status> calling = call_large(session, request, plain);
  const Status called = co_await std::move(calling);
  co_return expect_ok("the plain call", called);
}

Task<Status> server_compressed_unary(Session& session) {
  for (const bool wanted : {true, false}) {
    SimpleRequest request = large_request();
    request.mutable_response_compressed()->set_value(wanted);
    bool compressed = !wanted;
    const CallOptions options{.received_compressed = &compressed};
    Task<Status> calling = call_large(session, request, options);
    Status status = co_await std::move(calling);
    if (!status) co_return status;
    if (Status same = expect_equal("compressed", compressed, wanted); !same) co_return same;
  }
  co_return Status::ok();
}

InputRequest input_request(size_t bytes, bool compressed) {
  InputRequest request;
  *request.mutable_payload() = zeros(bytes);
  request.mutable_expect_compressed()->set_value(compressed);
  return request;
}

// A message that says that it's compressed, and isn't.
Task<Status> probe_streaming(Session& session) {
  Task<Result<InputStream>> opening = session.tests().StreamingInputCall(session.context());
  Result<InputStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("the probe", stream.error());
  const InputRequest request = input_request(27182, true);
  Task<Result<bool>> sending = stream->send(request);
  const Result<bool> sent = co_await std::move(sending);
  if (!sent) co_return expect_ok("the probe", sent.error());
  InputResponse response;
  Task<Status> closing = stream->close_and_recv(response);
  const Status status = co_await std::move(closing);
  co_return expect_code("the probe", status, StatusCode::kInvalidArgument);
}

Task<Status> client_compressed_streaming(Session& session) {
  Task<Status> probing = probe_streaming(session);
  Status probed = co_await std::move(probing);
  if (!probed) co_return probed;
  const CallOptions options{.compressor = "gzip"};
  Task<Result<InputStream>> opening = session.tests().StreamingInputCall(session.context(), options);
  Result<InputStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("StreamingInputCall", stream.error());
  for (const bool compressed : {true, false}) {
    const InputRequest request = input_request(compressed ? 27182 : 45904, compressed);
    const SendOptions how{.compress = compressed};
    Task<Status> sending = send(*stream, request, how);
    Status sent = co_await std::move(sending);
    if (!sent) co_return sent;
  }
  Task<Status> closing = close_and_expect(*stream, 73086);
  co_return co_await std::move(closing);
}

Task<Status> server_compressed_streaming(Session& session) {
  OutputRequest request;
  for (const bool compressed : {true, false}) {
    grpc::testing::ResponseParameters& wanted = *request.add_response_parameters();
    wanted.set_size(compressed ? 31415 : 92653);
    wanted.mutable_compressed()->set_value(compressed);
  }
  bool compressed = false;
  const CallOptions options{.received_compressed = &compressed};
  Task<Result<OutputStream>> opening = session.tests().StreamingOutputCall(session.context(), request, options);
  Result<OutputStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("StreamingOutputCall", stream.error());
  for (const auto& wanted : request.response_parameters()) {
    Task<Status> expecting = expect_response(*stream, wanted.size());
    Status came = co_await std::move(expecting);
    if (!came) co_return came;
    if (Status same = expect_equal("compressed", compressed, wanted.compressed().value()); !same) co_return same;
  }
  Task<Status> ending = expect_end(*stream);
  co_return co_await std::move(ending);
}

constexpr Case kCases[] = {
    {"client_compressed_unary", client_compressed_unary},
    {"server_compressed_unary", server_compressed_unary},
    {"client_compressed_streaming", client_compressed_streaming},
    {"server_compressed_streaming", server_compressed_streaming},
};

}  // namespace

std::span<const Case> compression_cases() { return kCases; }

}  // namespace gaggle::interop
