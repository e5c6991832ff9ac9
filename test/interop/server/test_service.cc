// SPDX-License-Identifier: Apache-2.0
#include "server/test_service.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "gaggle/net/sleep.h"

namespace gaggle::interop {

using grpc::testing::EchoStatus;
using grpc::testing::Payload;
using grpc::testing::ResponseParameters;

namespace {

// Clients choose sizes, so there has to be an end; the largest of any case is 314,159.
constexpr int32_t kMaxPayloadBytes = 64 << 20;
constexpr size_t kMaxHalfDuplexRequests = 10'000;

constexpr std::string_view kEchoInitial = "x-grpc-test-echo-initial";
constexpr std::string_view kEchoTrailing = "x-grpc-test-echo-trailing-bin";

Status fill(grpc::testing::PayloadType type, int32_t size, Payload& payload) {
  if (type != grpc::testing::COMPRESSABLE) return Status::invalid_argument("unknown response_type");
  if (size < 0 || size > kMaxPayloadBytes) {
    return Status::invalid_argument("response size " + std::to_string(size) + " is out of range");
  }
  payload.set_body(std::string(static_cast<size_t>(size), '\0'));
  return {};
}

Status status_of(const EchoStatus& wanted) {
  const bool known = wanted.code() >= 0 && wanted.code() <= static_cast<int>(StatusCode::kUnauthenticated);
  return Status(known ? static_cast<StatusCode>(wanted.code()) : StatusCode::kUnknown, wanted.message());
}

// Gives back the two keys of "Echo Metadata", one with the header, the other with the trailer.
Status echo_metadata(ServerContext& context) {
  const Metadata& sent = context.metadata();
  for (const std::string_view value : sent.get_all(kEchoInitial)) {
    if (Status set = context.set_header(kEchoInitial, value); !set) return set;
  }
  for (const std::string_view value : sent.get_all(kEchoTrailing)) {
    if (Status set = context.set_trailer(kEchoTrailing, value); !set) return set;
  }
  return {};
}

// "CompressedRequest": what the client says about its message has to be so.
template <class Request>
Status check_compression(const ServerContext& context, const Request& request) {
  if (!request.has_expect_compressed()) return {};
  if (request.expect_compressed().value() == context.received_compressed()) return {};
  return Status::invalid_argument("the request came " + std::string(context.received_compressed() ? "" : "un") +
                                  "compressed");
}

// "CompressedResponse". A client that doesn't accept gzip gets the answer as it is.
void choose_compression(ServerContext& context, bool compress) {
  static_cast<void>(context.set_compressor(compress ? "gzip" : "identity"));
}

bool wants_compression(const TestService::OutputRequest& request) {
  const auto& all = request.response_parameters();
  return std::any_of(all.begin(), all.end(), [](const auto& one) { return one.compressed().value(); });
}

// One response as `wanted` describes it, after the pause that it asks for.
template <class Stream>
Task<Status> send_response(ServerContext& context, grpc::testing::PayloadType type, const ResponseParameters& wanted,
                           Stream& stream) {
  if (wanted.interval_us() > 0) {
    auto pause = sleep_for(context.loop(), std::chrono::microseconds{wanted.interval_us()});
    Status slept = co_await pause;
    if (!slept) co_return slept;
  }
  TestService::OutputResponse response;
  if (Status filled = fill(type, wanted.size(), *response.mutable_payload()); !filled) co_return filled;
  const SendOptions options{.compress = !wanted.has_compressed() || wanted.compressed().value()};
  Task<Status> sending = stream.send(response, options);
  co_return co_await std::move(sending);
}

template <class Stream>
Task<Status> send_responses(ServerContext& context, const TestService::OutputRequest& request, Stream& stream) {
  for (const ResponseParameters& wanted : request.response_parameters()) {
    Task<Status> sending = send_response(context, request.response_type(), wanted, stream);
    Status sent = co_await std::move(sending);
    if (!sent) co_return sent;
  }
  co_return Status::ok();
}

}  // namespace

Task<Status> TestService::EmptyCall(ServerContext& context, const grpc::testing::Empty&, grpc::testing::Empty&) {
  co_return echo_metadata(context);
}

Task<Status> TestService::UnaryCall(ServerContext& context, const SimpleRequest& request, SimpleResponse& response) {
  if (Status echoed = echo_metadata(context); !echoed) co_return echoed;
  if (Status checked = check_compression(context, request); !checked) co_return checked;
  if (request.response_status().code() != 0) co_return status_of(request.response_status());
  if (request.has_response_compressed()) choose_compression(context, request.response_compressed().value());
  if (request.has_orca_per_query_report()) {
    const std::string report = load_report_of(request.orca_per_query_report()).SerializeAsString();
    if (Status set = context.set_trailer(kLoadReportKey, report); !set) co_return set;
  }
  if (request.fill_server_id()) response.set_server_id(server_id_);
  co_return fill(request.response_type(), request.response_size(), *response.mutable_payload());
}

// The payload is the time, so that a client sees whether a proxy kept the response.
Task<Status> TestService::CacheableUnaryCall(ServerContext& context, const SimpleRequest&, SimpleResponse& response) {
  if (Status set = context.set_header("cache-control", "max-age=60, public"); !set) co_return set;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  response.mutable_payload()->set_body(std::to_string(std::chrono::nanoseconds{now}.count()));
  co_return Status::ok();
}

Task<Status> TestService::StreamingOutputCall(ServerContext& context, const OutputRequest& request,
                                              ServerStreamingServer<OutputResponse>& responses) {
  if (request.response_status().code() != 0) return Task<Status>::ready(status_of(request.response_status()));
  if (wants_compression(request)) choose_compression(context, true);
  return send_responses(context, request, responses);
}

Task<Status> TestService::StreamingInputCall(ServerContext& context, ClientStreamingServer<InputRequest>& requests,
                                             InputResponse& response) {
  int32_t total = 0;
  for (;;) {
    InputRequest request;
    Task<Result<bool>> receiving = requests.recv(request);
    const Result<bool> more = co_await std::move(receiving);
    if (!more) co_return more.error();
    if (!*more) break;
    if (Status checked = check_compression(context, request); !checked) co_return checked;
    total += static_cast<int32_t>(request.payload().body().size());
  }
  response.set_aggregated_payload_size(total);
  co_return Status::ok();
}

Task<Status> TestService::FullDuplexCall(ServerContext& context,
                                         BidiStreamingServer<OutputRequest, OutputResponse>& stream) {
  if (Status echoed = echo_metadata(context); !echoed) co_return echoed;
  for (;;) {
    OutputRequest request;
    Task<Result<bool>> receiving = stream.recv(request);
    const Result<bool> more = co_await std::move(receiving);
    if (!more) co_return more.error();
    if (!*more) co_return Status::ok();
    if (request.response_status().code() != 0) co_return status_of(request.response_status());
    if (request.has_orca_oob_report()) load_.set(load_report_of(request.orca_oob_report()));
    Task<Status> sending = send_responses(context, request, stream);
    Status sent = co_await std::move(sending);
    if (!sent) co_return sent;
  }
}

Task<Status> TestService::HalfDuplexCall(ServerContext& context,
                                         BidiStreamingServer<OutputRequest, OutputResponse>& stream) {
  std::vector<OutputRequest> requests;
  for (;;) {
    OutputRequest request;
    Task<Result<bool>> receiving = stream.recv(request);
    const Result<bool> more = co_await std::move(receiving);
    if (!more) co_return more.error();
    if (!*more) break;
    if (requests.size() == kMaxHalfDuplexRequests) co_return Status::resource_exhausted("too many requests to keep");
    requests.push_back(std::move(request));
  }
  for (const OutputRequest& request : requests) {
    Task<Status> sending = send_responses(context, request, stream);
    Status sent = co_await std::move(sending);
    if (!sent) co_return sent;
  }
  co_return Status::ok();
}

}  // namespace gaggle::interop
