// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/resolver/target.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gaggle {
namespace {

bool known(std::string_view scheme) {
  return scheme == "dns" || scheme == "unix" || scheme == "passthrough" || scheme == "static";
}

struct Row {
  std::string_view text;
  std::string_view scheme;
  std::string_view authority;
  std::string_view endpoint;
};

// Which reading each spelling gets. The default scheme here is passthrough, so that whatever isn't
// understood shows up unchanged as the endpoint.
TEST(TargetTest, spellings_and_their_readings) {
  const std::vector<Row> rows = {
      // No scheme at all: everything is the endpoint.
      {"", "passthrough", "", ""},
      {"://", "passthrough", "", "://"},
      {":///", "passthrough", "", ":///"},
      {"://a/", "passthrough", "", "://a/"},
      {":///a", "passthrough", "", ":///a"},
      {"://a/b", "passthrough", "", "://a/b"},
      {"/", "passthrough", "", "/"},
      {"a/b", "passthrough", "", "a/b"},
      {"a//b", "passthrough", "", "a//b"},
      {"google.com", "passthrough", "", "google.com"},
      {"google.com/?a=b", "passthrough", "", "google.com/"},
      {"/unix/socket/address", "passthrough", "", "/unix/socket/address"},
      {"127.0.0.1:50051", "passthrough", "", "127.0.0.1:50051"},
      {"[::1]:50051", "passthrough", "", "[::1]:50051"},
      {"::1", "passthrough", "", "::1"},
      {":50051", "passthrough", "", ":50051"},
      // "localhost" looks like a scheme, but isn't one that anybody knows.
      {"localhost:50051", "passthrough", "", "localhost:50051"},
      // Unknown schemes are read again under the default one.
      {"unknown_scheme://authority/endpoint", "passthrough", "", "unknown_scheme://authority/endpoint"},
      {"unknown-scheme://authority/endpoint", "passthrough", "", "unknown-scheme://authority/endpoint"},
      {"a:///b", "passthrough", "", "a:///b"},
      {"1dns:///a", "passthrough", "", "1dns:///a"},
      // Known ones.
      {"dns:///google.com", "dns", "", "google.com"},
      {"dns:google.com", "dns", "", "google.com"},
      {"DNS:///google.com", "dns", "", "google.com"},
      {"dns:///google.com:8080", "dns", "", "google.com:8080"},
      {"dns://8.8.8.8/google.com", "dns", "8.8.8.8", "google.com"},
      {"dns://8.8.8.8:53/google.com:443", "dns", "8.8.8.8:53", "google.com:443"},
      {"dns://a.server.com/google.com/?a=b", "dns", "a.server.com", "google.com/"},
      {"dns:///google.com#part", "dns", "", "google.com"},
      {"dns:///[2001:db8::1]:443", "dns", "", "[2001:db8::1]:443"},
      {"dns:", "dns", "", ""},
      {"dns://authority", "dns", "authority", ""},
      {"passthrough:///a.server.com", "passthrough", "", "a.server.com"},
      {"passthrough://authority/a.server.com", "passthrough", "authority", "a.server.com"},
      {"static:///a:1,b:2", "static", "", "a:1,b:2"},
      {"unix:a/b/c", "unix", "", "a/b/c"},
      {"unix:/a/b/c", "unix", "", "a/b/c"},
      {"unix:///a/b/c", "unix", "", "a/b/c"},
      {"unix://authority/a/b/c", "unix", "authority", "a/b/c"},
      // Escapes are resolved in authority and endpoint.
      {"dns:///fe80::1%25eth0", "dns", "", "fe80::1%eth0"},
      {"dns://a%2Fb/c%20d", "dns", "a/b", "c d"},
      {"unix:a%3Fb", "unix", "", "a?b"},
      {"100%25", "passthrough", "", "100%"},
  };
  for (const Row& row : rows) {
    Result<Target> target = parse_target(row.text, "passthrough", known);
    ASSERT_TRUE(target) << row.text << ": " << target.error().to_string();
    EXPECT_EQ(target->scheme, row.scheme) << row.text;
    EXPECT_EQ(target->authority, row.authority) << row.text;
    EXPECT_EQ(target->endpoint, row.endpoint) << row.text;
  }
}

TEST(TargetTest, the_default_scheme_is_the_callers_choice) {
  Result<Target> target = parse_target("scores.example:50051", "dns", known);
  ASSERT_TRUE(target);
  EXPECT_EQ(target->scheme, "dns");
  EXPECT_EQ(target->canonical, "dns:///scores.example:50051") << "what was understood can be shown";
}

TEST(TargetTest, a_path_keeps_its_leading_slash_for_file_like_schemes) {
  for (const auto& [text, path] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"unix:a/b", "a/b"}, {"unix:/a/b", "/a/b"}, {"unix:///a/b", "/a/b"}}) {
    Result<Target> target = parse_target(text, "dns", known);
    ASSERT_TRUE(target) << text;
    EXPECT_EQ(target->path, path) << text;
  }
}

TEST(TargetTest, what_is_no_name_in_either_reading_is_refused) {
  using namespace std::string_literals;
  for (const std::string& text : {"dns:///%"s, "dns:///%2"s, "dns:///%zz"s, "host%zz"s, "dns://%/a"s, "a\0b"s,
                                  "dns:///a\x01"s, "a\x7F"s, "a\n"s}) {
    Result<Target> target = parse_target(text, "dns", known);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(TargetTest, an_unknown_default_scheme_is_refused_by_name) {
  Result<Target> target = parse_target("host:1", "consul", known);
  ASSERT_FALSE(target);
  EXPECT_NE(target.error().message().find("consul"), std::string_view::npos) << target.error().to_string();
}

TEST(TargetTest, the_authority_is_the_endpoint_made_fit_for_a_header) {
  const auto authority = [](std::string_view text) { return default_authority(*parse_target(text, "dns", known)); };
  EXPECT_EQ(authority("dns:///scores.example:50051"), "scores.example:50051");
  EXPECT_EQ(authority("dns://8.8.8.8/scores.example"), "scores.example") << "the name server isn't who is called";
  EXPECT_EQ(authority("[::1]:80"), "[::1]:80");
  EXPECT_EQ(authority(":50051"), "localhost:50051") << "a bare port means this machine";
  EXPECT_EQ(authority("dns:///a%20b/c"), "a%20b%2Fc") << "a space or slash would make the header malformed";
}

}  // namespace
}  // namespace gaggle
