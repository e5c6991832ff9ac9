// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/error_reason.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace gaggle::cache {
namespace {

Status sample() { return status_with_reason(StatusCode::kNotFound, "no group x", kUnknownGroup); }

TEST(ErrorReason, comes_back_as_it_was_given) {
  const Status status = sample();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "no group x");
  EXPECT_EQ(reason_of(status), "UNKNOWN_GROUP");
}

// What any gRPC library makes of google.rpc.Status{5, "no", [ErrorInfo{"UNKNOWN_GROUP", "gaggle.cache"}]}.
TEST(ErrorReason, is_encoded_as_google_rpc_status_with_an_error_info) {
  const std::string info = std::string("\x0a\x0dUNKNOWN_GROUP\x12\x0cgaggle.cache");
  const std::string type = "type.googleapis.com/google.rpc.ErrorInfo";
  const std::string any = "\x0a" + std::string(1, static_cast<char>(type.size())) + type + "\x12" +
                          std::string(1, static_cast<char>(info.size())) + info;
  const std::string expected = std::string("\x08\x05\x12\x02no\x1a") + static_cast<char>(any.size()) + any;
  EXPECT_EQ(status_with_reason(StatusCode::kNotFound, "no", kUnknownGroup).details(), expected);
}

TEST(ErrorReason, is_empty_without_details) {
  EXPECT_EQ(reason_of(Status::not_found("no such key")), "");
  EXPECT_EQ(reason_of(Status::ok()), "");
}

TEST(ErrorReason, of_another_domain_is_not_ours) {
  std::string details(sample().details());
  details.replace(details.find("gaggle.cache"), 12, "google.cloud");
  EXPECT_EQ(reason_of(Status(StatusCode::kNotFound, "", details)), "");
}

TEST(ErrorReason, of_another_type_is_not_ours) {
  std::string details(sample().details());
  details.replace(details.find("ErrorInfo"), 9, "RetryInfo");
  EXPECT_EQ(reason_of(Status(StatusCode::kNotFound, "", details)), "");
}

TEST(ErrorReason, is_found_behind_details_that_we_do_not_know) {
  const std::string ours(sample().details());
  // Field 3 with an Any of another type, field 9 as varint, fixed64 and fixed32.
  const std::string foreign =
      std::string("\x1a\x05\x0a\x03x/y") + "\x48\x07" + "\x49" + std::string(8, '\1') + "\x4d" + std::string(4, '\1');
  EXPECT_EQ(reason_of(Status(StatusCode::kNotFound, "", foreign + ours)), "UNKNOWN_GROUP");
}

// The details come from the network: whatever they are, there is no reason or ours, and no crash.
TEST(ErrorReason, corrupt_details_have_none) {
  const std::string whole(sample().details());
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(reason_of(Status(StatusCode::kNotFound, "", whole.substr(0, length))), "") << "cut at " << length;
  }
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string broken = whole;
    for (int change = 0; change < 3; ++change) broken[random() % broken.size()] = static_cast<char>(random());
    const std::string reason = reason_of(Status(StatusCode::kNotFound, "", broken));
    EXPECT_LE(reason.size(), broken.size());
  }
  EXPECT_EQ(reason_of(Status(StatusCode::kNotFound, "", std::string(64, '\xff'))), "");
  EXPECT_EQ(reason_of(Status(StatusCode::kNotFound, "", "\x1a\xff\xff\xff\xff\x0f")), "") << "a length of 4 GiB";
}

}  // namespace
}  // namespace gaggle::cache
