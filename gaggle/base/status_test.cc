// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/status.h"

#include <gtest/gtest.h>

#include "gaggle/base/result.h"

namespace gaggle {
namespace {

TEST(Status, ok_is_one_null_pointer_and_has_no_message) {
  const Status status;
  EXPECT_EQ(sizeof(Status), sizeof(void*));
  EXPECT_TRUE(status.is_ok());
  EXPECT_EQ(status.code(), StatusCode::kOk);
  EXPECT_EQ(status.to_string(), "OK");
  EXPECT_EQ(Status(StatusCode::kOk, "dropped"), Status::ok()) << "OK never carries a message";
}

TEST(Status, copies_share_and_moves_leave_ok_behind) {
  Status status(StatusCode::kNotFound, "no such group", "details");
  const Status copy = status;
  EXPECT_EQ(copy, status);
  EXPECT_EQ(copy.message().data(), status.message().data()) << "a copy shares the record";
  const Status moved = std::move(status);
  EXPECT_TRUE(status.is_ok());  // NOLINT(bugprone-use-after-move): promised
  EXPECT_EQ(moved.to_string(), "NOT_FOUND: no such group");
  EXPECT_EQ(moved.details(), "details");
}

TEST(Status, assignment_to_itself_keeps_it) {
  Status status = Status::aborted("again");
  Status& same = status;
  status = same;
  status = std::move(same);
  EXPECT_EQ(status.to_string(), "ABORTED: again");
}

TEST(Status, differs_by_code_message_and_details) {
  const Status status(StatusCode::kAborted, "m", "d");
  EXPECT_EQ(status, Status(StatusCode::kAborted, "m", "d"));
  EXPECT_NE(status, Status(StatusCode::kInternal, "m", "d"));
  EXPECT_NE(status, Status(StatusCode::kAborted, "n", "d"));
  EXPECT_NE(status, Status(StatusCode::kAborted, "m", "e"));
  EXPECT_NE(status, Status::ok());
}

TEST(Status, a_code_outside_the_table_is_called_unknown) {
  EXPECT_EQ(status_code_name(StatusCode::kUnauthenticated), "UNAUTHENTICATED");
  EXPECT_EQ(status_code_name(static_cast<StatusCode>(99)), "UNKNOWN");
}

TEST(Result, holds_a_value_or_the_reason_why_not) {
  Result<int> seven = 7;
  ASSERT_TRUE(seven);
  EXPECT_EQ(*seven, 7);
  EXPECT_TRUE(seven.status().is_ok());
  const Result<int> none = Status::not_found("seven");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), StatusCode::kNotFound);
}

TEST(Result, an_ok_status_without_a_value_is_our_mistake) {
  const Result<int> wrong = Status::ok();
  EXPECT_EQ(wrong.error().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace gaggle
