// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "client/cases.h"
#include "client/expect.h"
#include "gaggle/net/when_all.h"

namespace gaggle::interop {
namespace {

using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;

constexpr int kRequestBytes = 271828;
constexpr int kResponseBytes = 314159;

SimpleRequest large_request() {
  SimpleRequest request;
  request.set_response_size(kResponseBytes);
  *request.mutable_payload() = zeros(kRequestBytes);
  return request;
}

Task<Status> empty_unary(Session& session) {
  grpc::testing::Empty request, response;
  Task<Status> calling = session.tests().EmptyCall(session.context(), request, response);
  const Status status = co_await std::move(calling);
  if (!status) co_return expect_ok("EmptyCall", status);
  co_return expect_equal("the response's size", response.ByteSizeLong(), size_t{0});
}

Task<Status> call_large(Session& session, const SimpleRequest& request) {
  SimpleResponse response;
  Task<Status> calling = session.tests().UnaryCall(session.context(), request, response);
  const Status status = co_await std::move(calling);
  if (!status) co_return expect_ok("UnaryCall", status);
  co_return expect_zeros("the response", response.payload(), kResponseBytes);
}

Task<Status> large_unary(Session& session) {
  const SimpleRequest request = large_request();
  Task<Status> calling = call_large(session, request);
  co_return co_await std::move(calling);
}

Task<Status> concurrent_large_unary(Session& session) {
  const SimpleRequest request = large_request();
  std::vector<Task<Status>> calls;
  for (int i = 0; i < session.flags().concurrent_calls; ++i) calls.push_back(call_large(session, request));
  Task<std::vector<Status>> all = when_all(std::move(calls));
  const std::vector<Status> ends = co_await std::move(all);
  for (const Status& end : ends) {
    if (!end) co_return end;
  }
  co_return Status::ok();
}

// A hundred calls, with whatever addresses the target has: one server gets them all.
Task<Status> pick_first_unary(Session& session) {
  SimpleRequest request;
  request.set_response_size(1);
  *request.mutable_payload() = zeros(1);
  request.set_fill_server_id(true);
  std::string first;
  for (int i = 0; i < 100; ++i) {
    SimpleResponse response;
    Task<Status> calling = session.tests().UnaryCall(session.context(), request, response);
    const Status status = co_await std::move(calling);
    if (!status) co_return expect_ok("UnaryCall", status);
    if (response.server_id().empty()) co_return unmet("the server doesn't say who it is");
    if (i == 0) first = response.server_id();
    if (Status same = expect_equal("the server", response.server_id(), first); !same) co_return same;
  }
  co_return Status::ok();
}

constexpr Case kCases[] = {
    {"empty_unary", empty_unary},
    {"large_unary", large_unary},
    {"concurrent_large_unary", concurrent_large_unary},
    {"pick_first_unary", pick_first_unary},
};

}  // namespace

std::span<const Case> unary_cases() { return kCases; }

}  // namespace gaggle::interop
