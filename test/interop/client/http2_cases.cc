// SPDX-License-Identifier: Apache-2.0
//
// The negative cases: what our client makes of a server that misbehaves on HTTP/2's level.
#include <chrono>
#include <vector>

#include "client/cases.h"
#include "client/expect.h"
#include "gaggle/net/sleep.h"
#include "gaggle/net/when_all.h"

namespace gaggle::interop {
namespace {

using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;

constexpr size_t kRequestBytes = 271828;
constexpr int kResponseBytes = 314159;

Task<Status> call(Session& session) {
  SimpleRequest request;
  request.set_response_size(kResponseBytes);
  *request.mutable_payload() = zeros(kRequestBytes);
  SimpleResponse response;
  Task<Status> calling = session.tests().UnaryCall(session.context(), request, response);
  Status status = co_await std::move(calling);
  if (!status) co_return status;
  co_return expect_zeros("the response", response.payload(), static_cast<size_t>(kResponseBytes));
}

Task<Status> goaway(Session& session) {
  Task<Status> first = call(session);
  Status status = co_await std::move(first);
  if (!status) co_return status;
  auto pause = sleep_for(session.loop(), std::chrono::milliseconds{300});  // so that the GOAWAY has come
  Status slept = co_await pause;
  if (!slept) co_return slept;
  Task<Status> second = call(session);
  co_return co_await std::move(second);
}

// RST_STREAM without an error where the status should be: the call has failed all the same.
Task<Status> reset_call(Session& session) {
  Task<Status> calling = call(session);
  const Status status = co_await std::move(calling);
  co_return expect_code("UnaryCall", status, StatusCode::kInternal);
}

Task<Status> one_call(Session& session) { return call(session); }

Task<Status> max_streams(Session& session) {
  Task<Status> first = call(session);
  Status status = co_await std::move(first);
  if (!status) co_return status;
  std::vector<Task<Status>> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(call(session));
  Task<std::vector<Status>> all = when_all(std::move(calls));
  const std::vector<Status> ends = co_await std::move(all);
  for (const Status& end : ends) {
    if (!end) co_return end;
  }
  co_return Status::ok();
}

constexpr Case kCases[] = {
    {"goaway", goaway},
    {"rst_after_header", reset_call},
    {"rst_during_data", reset_call},
    {"rst_after_data", reset_call},
    {"ping", one_call},
    {"max_streams", max_streams},
    {"data_frame_padding", one_call},
    {"no_df_padding_sanity_test", one_call},
};

}  // namespace

std::span<const Case> http2_cases() { return kCases; }

}  // namespace gaggle::interop
