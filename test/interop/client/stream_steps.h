// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/expect.h"
#include "gaggle/net/task.h"
#include "grpc/testing/test.gaggle.h"

// The test service's streams, and the steps on them that several cases take: each gives OK, or what went wrong.

namespace gaggle::interop {

using InputRequest = grpc::testing::StreamingInputCallRequest;
using InputResponse = grpc::testing::StreamingInputCallResponse;
using OutputRequest = grpc::testing::StreamingOutputCallRequest;
using OutputResponse = grpc::testing::StreamingOutputCallResponse;
using InputStream = ClientStreamingClient<InputRequest, InputResponse>;
using OutputStream = ServerStreamingClient<OutputResponse>;
using DuplexStream = BidiStreamingClient<OutputRequest, OutputResponse>;

template <class Stream, class Request>
Task<Status> send(Stream& stream, const Request& request, SendOptions options = {}) {
  Task<Result<bool>> sending = stream.send(request, options);
  const Result<bool> sent = co_await std::move(sending);
  co_return sent && *sent ? Status::ok() : unmet("a message couldn't be sent");
}

// Half-closes; the server has to have counted so many bytes.
inline Task<Status> close_and_expect(InputStream& stream, int aggregated_bytes) {
  InputResponse response;
  Task<Status> closing = stream.close_and_recv(response);
  const Status status = co_await std::move(closing);
  if (!status) co_return expect_ok("StreamingInputCall", status);
  co_return expect_equal<int>("aggregated_payload_size", response.aggregated_payload_size(), aggregated_bytes);
}

// The next thing to come has to be a response of so many zeros.
template <class Stream>
Task<Status> expect_response(Stream& stream, int size) {
  OutputResponse response;
  Task<Result<bool>> receiving = stream.recv(response);
  const Result<bool> more = co_await std::move(receiving);
  if (!more) co_return expect_ok("the call", more.error());
  if (!*more) co_return unmet("a response is missing");
  co_return expect_zeros("a response", response.payload(), static_cast<size_t>(size));
}

// The next thing to come has to be OK's end.
template <class Stream>
Task<Status> expect_end(Stream& stream) {
  OutputResponse response;
  Task<Result<bool>> receiving = stream.recv(response);
  const Result<bool> more = co_await std::move(receiving);
  if (!more) co_return expect_ok("the call", more.error());
  co_return *more ? unmet("a response too many") : Status::ok();
}

}  // namespace gaggle::interop
