// SPDX-License-Identifier: Apache-2.0
#include "gaggle/services/error_details.h"

#include <gtest/gtest.h>

#include <string>

#include "gaggle/services/services_testing.h"
#include "google/rpc/error_details.pb.h"
#include "grpc/health/v1/health.gaggle.h"

namespace gaggle {
namespace {

google::rpc::BadRequest bad_name() {
  google::rpc::BadRequest bad;
  auto& violation = *bad.add_field_violations();
  violation.set_field("name");
  violation.set_description("is empty");
  return bad;
}

google::rpc::RetryInfo in_seconds(int64_t seconds) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(seconds);
  return retry;
}

TEST(ErrorDetails, what_is_packed_comes_out_typed) {
  const auto bad = bad_name();
  const auto retry = in_seconds(7);
  const Status status = status_with_details(StatusCode::kInvalidArgument, "no name", {&bad, &retry});
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "no name");
  const auto all = error_details(status);
  ASSERT_TRUE(all.is_ok());
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ(error_detail_type((*all)[0]), "google.rpc.BadRequest") << "in the order in which they were given";
  EXPECT_EQ(error_detail<google::rpc::RetryInfo>(status)->retry_delay().seconds(), 7);
  EXPECT_EQ(error_detail<google::rpc::BadRequest>(status)->field_violations(0).field(), "name");
  EXPECT_FALSE(error_detail<google::rpc::Help>(status).has_value());
}

TEST(ErrorDetails, the_encoding_is_that_of_google_rpc_status) {
  const google::rpc::LocalizedMessage empty;
  const Status status = status_with_details(StatusCode::kNotFound, "no", {&empty});
  // code = 5, message = "no", details = one Any with a type URL and no value.
  const std::string url = "type.googleapis.com/google.rpc.LocalizedMessage";
  const std::string any = "\x0a" + std::string(1, static_cast<char>(url.size())) + url;
  EXPECT_EQ(status.details(), "\x08\x05\x12\x02no\x1a" + std::string(1, static_cast<char>(any.size())) + any);
}

TEST(ErrorDetails, ok_has_none) {
  const auto bad = bad_name();
  EXPECT_TRUE(status_with_details(StatusCode::kOk, "", {&bad}).is_ok());
  const auto none = error_details(Status::not_found("x"));
  ASSERT_TRUE(none.is_ok());
  EXPECT_TRUE(none->empty());
}

TEST(ErrorDetails, details_of_another_status_are_refused) {
  const auto bad = bad_name();
  const Status honest = status_with_details(StatusCode::kInvalidArgument, "no name", {&bad});
  const Status other_code(StatusCode::kNotFound, "no name", honest.details());
  const Status other_message(StatusCode::kInvalidArgument, "no key", honest.details());
  EXPECT_EQ(error_details(other_code).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(error_details(other_message).status().code(), StatusCode::kDataLoss);
  EXPECT_FALSE(error_detail<google::rpc::BadRequest>(other_code).has_value());
}

TEST(ErrorDetails, corrupt_details_are_an_error_and_no_detail) {
  const Status corrupt(StatusCode::kInternal, "x", "\xff\xff");
  EXPECT_EQ(error_details(corrupt).status().code(), StatusCode::kDataLoss);
  EXPECT_FALSE(error_detail<google::rpc::BadRequest>(corrupt).has_value());
  EXPECT_EQ(error_details(with_detail(corrupt, bad_name()))->size(), 1u) << "what can't be read is dropped";
}

TEST(ErrorDetails, a_message_that_is_no_utf8_loses_nothing) {
  const auto bad = bad_name();
  const Status status = status_with_details(StatusCode::kInvalidArgument, "\xff\xfe", {&bad});
  EXPECT_TRUE(error_detail<google::rpc::BadRequest>(status).has_value());
}

TEST(ErrorDetails, one_is_added_behind_the_others) {
  const auto bad = bad_name();
  Status status = status_with_details(StatusCode::kAborted, "later", {&bad});
  status = with_detail(status, in_seconds(3));
  const auto all = error_details(status);
  ASSERT_TRUE(all.is_ok());
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ(error_detail_type((*all)[1]), "google.rpc.RetryInfo");
}

TEST(ErrorDetails, a_null_detail_is_a_mistake_of_the_server) {
  EXPECT_EQ(status_with_details(StatusCode::kNotFound, "x", {nullptr}).code(), StatusCode::kInternal);
}

class Failing final : public grpc::health::v1::UnimplementedHealthServer {
  Task<Status> Check(ServerContext&, const grpc::health::v1::HealthCheckRequest&,
                     grpc::health::v1::HealthCheckResponse&) override {
    const auto bad = bad_name();
    co_return status_with_details(StatusCode::kFailedPrecondition, "gr\xc3\xbcn, 100 %", {&bad});
  }
};

TEST(ErrorDetails, they_travel) {
  Failing service;
  ServicesWorld world;
  ASSERT_TRUE(grpc::health::v1::RegisterHealthServer(*world.conn, service).is_ok());
  grpc::health::v1::HealthClient client(*world.conn);
  const grpc::health::v1::HealthCheckRequest request;
  grpc::health::v1::HealthCheckResponse response;
  const Status status = world.run(client.Check({}, request, response));
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(error_detail<google::rpc::BadRequest>(status)->field_violations(0).description(), "is empty");
  world.close();
}

}  // namespace
}  // namespace gaggle
