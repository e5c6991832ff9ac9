// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_request.h"

#include <gtest/gtest.h>

namespace gaggle::wire {
namespace {

TEST(ContentType, of_grpc_may_name_a_subtype) {
  EXPECT_EQ(content_subtype("application/grpc"), "");
  EXPECT_EQ(content_subtype("application/grpc+proto"), "proto");
  EXPECT_EQ(content_subtype("application/grpc+json"), "json");
  EXPECT_EQ(content_subtype("application/grpc;charset=utf-8"), "");
  EXPECT_EQ(content_subtype("application/grpc+proto;charset=utf-8"), "proto");
  EXPECT_EQ(content_subtype("Application/gRPC"), "") << "media types know no case";
}

TEST(ContentType, that_only_begins_like_ours_is_another) {
  for (std::string_view type : {"", "application/grp", "application/grpcfoo", "application/grpc-web",
                                "application/grpc-web+proto", "application/json", "text/html", " application/grpc"}) {
    EXPECT_EQ(content_subtype(type), std::nullopt) << type;
  }
}

TEST(Path, splits_at_its_last_slash) {
  auto path = split_path("/package.Service/Method");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->service, "package.Service");
  EXPECT_EQ(path->method, "Method");

  path = split_path("/proxy/package.Service/Method");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->service, "proxy/package.Service") << "unknown, but well formed";
}

TEST(Path, needs_both_names) {
  for (std::string_view path : {"", "/", "//", "Service/Method", "/Service", "/Service/", "//Method", "*"}) {
    EXPECT_EQ(split_path(path), std::nullopt) << path;
  }
}

TEST(Path, that_a_client_sends_is_visible_ascii) {
  EXPECT_TRUE(path_can_travel("/p.S/M"));
  EXPECT_TRUE(path_can_travel("/p.S/M-with+signs~"));
  for (std::string_view path : {"/p.S", "/p.S/M M", "/p.S/M\r\nx: y", "/p.S/\xC3\xA4", "/p.S/\x7F", "p.S/M"}) {
    EXPECT_FALSE(path_can_travel(path)) << path;
  }
}

TEST(WireRequest, a_canonical_path_has_two_names_that_everybody_reads_alike) {  // [134] [135]
  EXPECT_TRUE(path_is_canonical("/p.S/M"));
  EXPECT_TRUE(path_is_canonical("/S/M-with+signs~"));
  EXPECT_TRUE(path_is_canonical("/..s/...")) << "dots are letters unless they are the whole name";
  for (const char* path :
       {"",        "/",       "//",       "p.S/M",   "/p.S",    "/p.S/",     "//M",          "//p.S/M",
        "/p.S//M", "/p.S/M/", "/p.S/M/x", "/p.S/M?", "/p.S/M#", "/p%2ES/M",  "/p.S%2FM",     "/p.S\\M",
        "/./M",    "/../M",   "/p.S/.",   "/p.S/..", "/p.S/M ", "/p.S/\x7f", "/p.S/\xc3\xbc"}) {
    EXPECT_FALSE(path_is_canonical(path)) << path;
  }
}

}  // namespace
}  // namespace gaggle::wire
