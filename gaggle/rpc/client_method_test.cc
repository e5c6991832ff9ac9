// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_method.h"

#include <gtest/gtest.h>

#include <string>

namespace gaggle {
namespace {

TEST(MethodHeadersTest, a_methods_fields_are_made_once) {
  MethodHeaders methods("http", "scores.example", "gaggle/x", "identity,gzip");
  const http2::PreparedHeaders* headers = methods.find("/a.B/C");
  ASSERT_NE(headers, nullptr);
  EXPECT_EQ(methods.find(std::string("/a.B/C")), headers) << "by content, wherever the name lies";
  EXPECT_NE(methods.find("/a.B/D"), headers);
  std::string text;
  for (const http2::HeaderOut& field : headers->fields())
    text.append(field.name).append("=").append(field.value).append(" ");
  EXPECT_EQ(text,
            ":method=POST :scheme=http :path=/a.B/C :authority=scores.example content-type=application/grpc "
            "user-agent=gaggle/x te=trailers grpc-accept-encoding=identity,gzip ")
      << "pseudo-fields first, the call's definition before all else";
}

TEST(MethodHeadersTest, paths_from_strangers_cant_fill_memory) {
  MethodHeaders methods("http", "a", "b", "identity");
  for (size_t i = 0; i < 10 * MethodHeaders::kMaxMethods; ++i)
    static_cast<void>(methods.find("/s/" + std::to_string(i)));
  EXPECT_EQ(methods.size(), MethodHeaders::kMaxMethods);
  EXPECT_EQ(methods.find("/s/5000"), nullptr) << "encoded field by field";
  EXPECT_NE(methods.find("/s/5"), nullptr) << "the first ones stay";
}

TEST(MethodHeadersTest, the_programs_name_comes_before_ours) {
  EXPECT_TRUE(user_agent_text("").starts_with("gaggle/"));
  EXPECT_TRUE(user_agent_text("scores/7").starts_with("scores/7 gaggle/"));
}

}  // namespace
}  // namespace gaggle
