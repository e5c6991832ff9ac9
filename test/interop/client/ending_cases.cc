// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>

#include "client/cases.h"
#include "client/expect.h"
#include "client/stream_steps.h"

namespace gaggle::interop {
namespace {

using namespace std::chrono_literals;
using grpc::testing::Empty;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;

constexpr std::string_view kInitialKey = "x-grpc-test-echo-initial";
constexpr std::string_view kInitialValue = "test_initial_metadata_value";
constexpr std::string_view kTrailingKey = "x-grpc-test-echo-trailing-bin";
constexpr std::string_view kTrailingValue = "\xab\xab\xab";

Status expect_echoed(const Metadata& header, const Metadata& trailer) {
  const std::string_view initial = header.get(kInitialKey).value_or("(absent)");
  if (Status same = expect_equal("the header's metadata", initial, kInitialValue); !same) return same;
  const std::string_view trailing = trailer.get(kTrailingKey).value_or("(absent)");
  return expect_equal("the trailer's metadata", trailing, kTrailingValue);
}

Task<Status> metadata_unary(Session& session, const Metadata& sent) {
  SimpleRequest request;
  request.set_response_size(1);
  *request.mutable_payload() = zeros(1);
  SimpleResponse response;
  Metadata header, trailer;
  const CallOptions options{.metadata = &sent, .header = &header, .trailer = &trailer};
  Task<Status> calling = session.tests().UnaryCall(session.context(), request, response, options);
  const Status status = co_await std::move(calling);
  if (!status) co_return expect_ok("UnaryCall", status);
  co_return expect_echoed(header, trailer);
}

// One request, half-close, and everything until the end: the status that it ended with.
Task<Status> duplex_to_the_end(DuplexStream& stream, const OutputRequest& request) {
  Task<Result<bool>> sending = stream.send(request);
  const Result<bool> sent = co_await std::move(sending);
  if (!sent) co_return sent.error();
  Task<Status> closing = stream.close_send();
  Status closed = co_await std::move(closing);
  if (!closed) co_return closed;
  for (;;) {
    OutputResponse response;
    Task<Result<bool>> receiving = stream.recv(response);
    const Result<bool> more = co_await std::move(receiving);
    if (!more) co_return more.error();
    if (!*more) co_return Status::ok();
  }
}

Task<Status> metadata_duplex(Session& session, const Metadata& sent) {
  OutputRequest request;
  request.add_response_parameters()->set_size(1);
  *request.mutable_payload() = zeros(1);
  const CallOptions options{.metadata = &sent};
  Task<Result<DuplexStream>> opening = session.tests().FullDuplexCall(session.context(), options);
  Result<DuplexStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("FullDuplexCall", stream.error());
  Task<Status> running = duplex_to_the_end(*stream, request);
  const Status status = co_await std::move(running);
  if (!status) co_return expect_ok("FullDuplexCall", status);
  Task<Result<const Metadata*>> heading = stream->header();
  const Result<const Metadata*> header = co_await std::move(heading);
  if (!header) co_return expect_ok("FullDuplexCall", header.error());
  co_return expect_echoed(**header, stream->trailer());
}

Task<Status> custom_metadata(Session& session) {
  Metadata sent;
  if (Status added = sent.add(kInitialKey, kInitialValue); !added) co_return added;
  if (Status added = sent.add(kTrailingKey, kTrailingValue); !added) co_return added;
  Task<Status> unary = metadata_unary(session, sent);
  Status echoed = co_await std::move(unary);
  if (!echoed) co_return echoed;
  Task<Status> duplex = metadata_duplex(session, sent);
  co_return co_await std::move(duplex);
}

Status expect_status(std::string_view what, const Status& got, StatusCode code, std::string_view message) {
  if (Status same = expect_code(what, got, code); !same) return same;
  return expect_equal(std::string(what) + ": the message", got.message(), message);
}

Task<Status> unary_with_status(Session& session, std::string_view message) {
  SimpleRequest request;
  request.mutable_response_status()->set_code(2);
  request.mutable_response_status()->set_message(std::string(message));
  SimpleResponse response;
  Task<Status> calling = session.tests().UnaryCall(session.context(), request, response);
  const Status status = co_await std::move(calling);
  co_return expect_status("UnaryCall", status, StatusCode::kUnknown, message);
}

Task<Status> status_code_and_message(Session& session) {
  constexpr std::string_view kMessage = "test status message";
  Task<Status> unary = unary_with_status(session, kMessage);
  Status told = co_await std::move(unary);
  if (!told) co_return told;
  Task<Result<DuplexStream>> opening = session.tests().FullDuplexCall(session.context());
  Result<DuplexStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("FullDuplexCall", stream.error());
  OutputRequest request;
  request.mutable_response_status()->set_code(2);
  request.mutable_response_status()->set_message(std::string(kMessage));
  Task<Status> running = duplex_to_the_end(*stream, request);
  const Status status = co_await std::move(running);
  co_return expect_status("FullDuplexCall", status, StatusCode::kUnknown, kMessage);
}

Task<Status> special_status_message(Session& session) {
  Task<Status> unary =
      unary_with_status(session, "\t\ntest with whitespace\r\nand Unicode BMP \u263A and non-BMP \U0001F608\t\n");
  co_return co_await std::move(unary);
}

Task<Status> unimplemented_method(Session& session) {
  Empty request, response;
  Task<Status> calling = session.tests().UnimplementedCall(session.context(), request, response);
  const Status status = co_await std::move(calling);
  co_return expect_code("UnimplementedCall", status, StatusCode::kUnimplemented);
}

Task<Status> unimplemented_service(Session& session) {
  grpc::testing::UnimplementedServiceClient nobody(session.conn());
  Empty request, response;
  Task<Status> calling = nobody.UnimplementedCall(session.context(), request, response);
  const Status status = co_await std::move(calling);
  co_return expect_code("UnimplementedCall", status, StatusCode::kUnimplemented);
}

Task<Status> cancel_after_begin(Session& session) {
  Task<Result<InputStream>> opening = session.tests().StreamingInputCall(session.context());
  Result<InputStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("StreamingInputCall", stream.error());
  stream->cancel();
  InputResponse response;
  Task<Status> closing = stream->close_and_recv(response);
  const Status status = co_await std::move(closing);
  co_return expect_code("StreamingInputCall", status, StatusCode::kCancelled);
}

Task<Status> cancel_after_first_response(Session& session) {
  Task<Result<DuplexStream>> opening = session.tests().FullDuplexCall(session.context());
  Result<DuplexStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("FullDuplexCall", stream.error());
  OutputRequest request;
  request.add_response_parameters()->set_size(31415);
  *request.mutable_payload() = zeros(27182);
  Task<Status> sending = send(*stream, request);
  Status sent = co_await std::move(sending);
  if (!sent) co_return sent;
  OutputResponse response;
  Task<Result<bool>> receiving = stream->recv(response);
  const Result<bool> more = co_await std::move(receiving);
  if (!more) co_return expect_ok("FullDuplexCall", more.error());
  if (!*more) co_return unmet("the call ended before its first response");
  stream->cancel();
  Task<Result<bool>> ending = stream->recv(response);
  const Result<bool> end = co_await std::move(ending);
  co_return expect_code("FullDuplexCall", end.status(), StatusCode::kCancelled);
}

// The deadline may pass at any moment: before the call has a connection, while it sends, while it waits.
Task<Status> timeout_on_sleeping_server(Session& session) {
  Task<Result<DuplexStream>> opening = session.tests().FullDuplexCall(session.context().with_timeout(1ms));
  Result<DuplexStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_code("FullDuplexCall", stream.error(), StatusCode::kDeadlineExceeded);
  OutputRequest request;
  *request.mutable_payload() = zeros(27182);
  Task<Result<bool>> sending = stream->send(request);
  const Result<bool> sent = co_await std::move(sending);
  if (!sent) co_return expect_code("a send", sent.error(), StatusCode::kDeadlineExceeded);
  OutputResponse response;
  Task<Result<bool>> receiving = stream->recv(response);
  const Result<bool> more = co_await std::move(receiving);
  co_return expect_code("FullDuplexCall", more.status(), StatusCode::kDeadlineExceeded);
}

constexpr Case kCases[] = {
    {"custom_metadata", custom_metadata},
    {"status_code_and_message", status_code_and_message},
    {"special_status_message", special_status_message},
    {"unimplemented_method", unimplemented_method},
    {"unimplemented_service", unimplemented_service},
    {"cancel_after_begin", cancel_after_begin},
    {"cancel_after_first_response", cancel_after_first_response},
    {"timeout_on_sleeping_server", timeout_on_sleeping_server},
};

}  // namespace

std::span<const Case> ending_cases() { return kCases; }

}  // namespace gaggle::interop
