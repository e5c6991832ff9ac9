// SPDX-License-Identifier: Apache-2.0
//
// The catalogue's malformed messages, [109] to [129]: RFC 9113 §8, both roles.
#include <gtest/gtest.h>

#include "gaggle/http2/catalogue_testing.h"

namespace gaggle::http2::testing {
namespace {

constexpr Role kServer = Role::kServer;
constexpr Role kClient = Role::kClient;

const std::string kMalformed = "RST_STREAM 1 PROTOCOL_ERROR";
const std::string kServed = "HEADERS 1 :status=200; DATA 1 2; HEADERS 1 END_STREAM grpc-status=0";

std::string request(const Fields& fields) { return headers(1, fields); }
std::string request_with(const Fields& more) { return headers(1, request_fields(more)); }
std::string begin(const Fields& more = {}) { return headers(1, request_fields(more), kEndHeaders); }

void all(const std::vector<BadInput>& inputs) {
  for (const BadInput& input : inputs) {
    SCOPED_TRACE(input.name);
    expect_answer(input);
  }
}

TEST(Catalogue, pseudo_headers_of_requests) {
  all({
      {"[109] no :path", kServer, request({{":method", "GET"}, {":scheme", "http"}}), kMalformed, "§8.3.1"},
      {"[109] no :method", kServer, request({{":path", "/"}, {":scheme", "http"}}), kMalformed, "§8.3.1"},
      {"[109] no :scheme", kServer, request({{":path", "/"}, {":method", "GET"}}), kMalformed, "§8.3.1"},
      {"an empty block", kServer, request({}), kMalformed, "§8.3.1"},
      {"[110] :path twice", kServer,
       request({{":method", "GET"}, {":scheme", "http"}, {":path", "/a"}, {":path", "/a"}}), kMalformed,
       "§8.3: not even if they agree"},
      {"[111] empty :path", kServer, request({{":method", "GET"}, {":scheme", "http"}, {":path", ""}}), kMalformed,
       "§8.3.1"},
      {"[112] pseudo-header behind a regular field", kServer,
       request({{":method", "GET"}, {":scheme", "http"}, {"a", "b"}, {":path", "/"}}), kMalformed, "§8.3"},
      {"[113] unknown pseudo-header", kServer,
       request({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":new", "x"}}), kMalformed, "§8.3"},
      {"[114] :status in a request", kServer,
       request({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":status", "200"}}), kMalformed, "§8.3"},
      {"[128] CONNECT", kServer, request({{":method", "CONNECT"}, {":authority", "x:1"}}), kMalformed, "not served"},
      {"[128] extended CONNECT", kServer,
       request({{":method", "CONNECT"},
                {":protocol", "websocket"},
                {":scheme", "http"},
                {":path", "/"},
                {":authority", "x"}}),
       kMalformed, "RFC 8441 was not offered"},
      {"[127] GET", kServer, request({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}), kServed,
       "fine for HTTP/2; gRPC above says what it thinks of it"},
      {"[124] host beside :authority", kServer, request_with({{"host", "y"}}), kServed,
       "the layer above compares them"},
  });
}

TEST(Catalogue, fields) {
  all({
      {"[116] upper-case name", kServer, request_with({{"Accept", "x"}}), kMalformed, "§8.2.1"},
      {"[117] NUL in a value", kServer, request_with({{"a", std::string("x\0y", 3)}}), kMalformed, "§8.2.1"},
      {"[117] CR in a value", kServer, request_with({{"a", "x\ry"}}), kMalformed, "§8.2.1: smuggling"},
      {"[117] LF in a value", kServer, request_with({{"a", "x\ny"}}), kMalformed, "§8.2.1: smuggling"},
      {"[118] space around a value", kServer, request_with({{"a", " x "}}), kServed,
       "gRPC says to strip it; done above"},
      {"[118] space around a pseudo-header", kServer,
       request({{":method", "GET"}, {":scheme", "http"}, {":path", "/ "}}), kMalformed, "§8.2.1: nobody strips a path"},
      {"[119] empty name", kServer, request_with({{"", "x"}}), kMalformed, "§8.2.1"},
      {"name with a space", kServer, request_with({{"a b", "x"}}), kMalformed, "§8.2.1"},
      {"[120] connection", kServer, request_with({{"connection", "keep-alive"}}), kMalformed, "§8.2.2"},
      {"[120] keep-alive", kServer, request_with({{"keep-alive", "1"}}), kMalformed, "§8.2.2"},
      {"[120] proxy-connection", kServer, request_with({{"proxy-connection", "1"}}), kMalformed, "§8.2.2"},
      {"[120] transfer-encoding", kServer, request_with({{"transfer-encoding", "chunked"}}), kMalformed,
       "§8.2.2: smuggling"},
      {"[120] upgrade", kServer, request_with({{"upgrade", "h2c"}}), kMalformed, "§8.2.2"},
      {"[121] te: gzip", kServer, request_with({{"te", "gzip"}}), kMalformed, "§8.2.2"},
      {"te: trailers", kServer, request_with({{"te", "trailers"}}), kServed, "§8.2.2: the one value that is allowed"},
  });
}

TEST(Catalogue, content_length) {
  const auto length = [](std::string value) { return Fields{{"content-length", value}}; };
  all({
      {"[122] less content than declared", kServer, begin(length("5")) + data(1, "abc", kEndStream), kMalformed,
       "§8.1.1"},
      {"[122] more content than declared", kServer, begin(length("2")) + data(1, "abc"), kMalformed,
       "§8.1.1, known before the end"},
      {"[122] less, with trailers", kServer, begin(length("5")) + data(1, "abc") + headers(1, {{"t", "1"}}), kMalformed,
       "§8.1.1"},
      {"exactly as declared", kServer, begin(length("3")) + data(1, "abc", kEndStream), kServed, "§8.1.1"},
      {"exactly, padded, in two frames", kServer,
       begin(length("3")) + padded_data(1, "ab", 9) + data(1, "c", kEndStream), kServed, "padding isn't content"},
      {"[123] declared, and END_STREAM at once", kServer, request_with(length("5")), kMalformed, "§8.1.1"},
      {"zero, and END_STREAM at once", kServer, request_with(length("0")), kServed, "§8.1.1"},
      {"content-length: x", kServer, begin(length("x")), kMalformed, "not a number"},
      {"content-length: -1", kServer, begin(length("-1")), kMalformed, "not a number"},
      {"content-length: 2^64", kServer, begin(length("18446744073709551616")), kMalformed, "not a number that fits"},
      {"two content-lengths", kServer, begin({{"content-length", "3"}, {"content-length", "3"}}), kMalformed,
       "smuggling"},
  });
}

TEST(Catalogue, trailers) {
  all({
      {"[115] pseudo-header in trailers", kServer, begin() + headers(1, {{":path", "/b"}}), kMalformed, "§8.1"},
      {"[125] HEADERS without END_STREAM in the middle", kServer, begin() + headers(1, {{"a", "b"}}, kEndHeaders),
       kMalformed, "§8.1"},
      {"[126] a third HEADERS", kServer, begin() + headers(1, {{"a", "b"}}) + headers(1, {{"a", "b"}}),
       kServed + "; GOAWAY 1 STREAM_CLOSED", "the second has ended the stream"},
      {"trailers", kServer, begin() + data(1, "x") + headers(1, {{"a", "b"}}), kServed, "as it should be"},
      {"[116] upper-case name in trailers", kServer, begin() + headers(1, {{"A", "b"}}), kMalformed, "§8.2.1"},
  });
}

TEST(Catalogue, responses) {
  all({
      {"no :status", kClient, headers(1, {{"a", "b"}}), kMalformed, "§8.3.2"},
      {":status: 20", kClient, headers(1, {{":status", "20"}}), kMalformed, "three digits"},
      {":status: +20", kClient, headers(1, {{":status", "+20"}}), kMalformed, "three digits"},
      {":status twice", kClient, headers(1, {{":status", "200"}, {":status", "200"}}), kMalformed, "§8.3"},
      {":path in a response", kClient, headers(1, {{":status", "200"}, {":path", "/"}}), kMalformed, "§8.3.2"},
      {"101", kClient, headers(1, {{":status", "101"}}, kEndHeaders), kMalformed, "§8.6"},
      {"[129] 1xx that ends the stream", kClient, headers(1, {{":status", "103"}}), kMalformed, "§8.1"},
      {"DATA before the response", kClient, data(1, "x"), kMalformed, "§8.1"},
      {"DATA after 1xx only", kClient, headers(1, {{":status", "100"}}, kEndHeaders) + data(1, "x"), kMalformed,
       "§8.1"},
      {"[122] less content than declared", kClient,
       headers(1, response_fields({{"content-length", "5"}}), kEndHeaders) + data(1, "abc", kEndStream), kMalformed,
       "§8.1.1"},
      {"304 declares what it would have sent", kClient, headers(1, {{":status", "304"}, {"content-length", "5"}}), "",
       "RFC 9110 §8.6"},
      {"connection in a response", kClient, headers(1, response_fields({{"connection", "close"}})), kMalformed,
       "§8.2.2"},
  });
}

TEST(Catalogue, informational_responses_are_left_out) {
  Script script(kClient);
  script.shake_hands();
  script.request();
  script.send(headers(1, {{":status", "103"}, {"link", "x"}}, kEndHeaders));
  script.send(headers(1, {{":status", "100"}}, kEndHeaders));
  EXPECT_EQ(join(script.heard()), "") << "[129] informational responses are none of gRPC's business";
  script.send(headers(1, response_fields(), kEndHeaders) + data(1, "abc") + headers(1, {{"grpc-status", "0"}}));
  EXPECT_EQ(join(script.heard()), "headers 1 :status=200; data 1 3; trailers 1 grpc-status=0")
      << "and the final one comes as if they hadn't been";
  EXPECT_EQ(script.connection().counters().informational_responses, 2u);
}

TEST(Catalogue, header_lists_over_the_limits_are_told_not_hidden) {
  Script script(kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  script.send(headers(1, request_fields({{"big", std::string(15'000, 'x')}})));
  script.heard();
  EXPECT_EQ(script.connection().counters().large_headers, 1u) << "[104] past the soft limit: delivered whole";
  // Three of these are more than 16 KiB; one frame holds them with Huffman or indexing only, so
  // they come in two.
  const std::string big = block(request_fields({{"a", std::string(15'000, 'x')}, {"b", std::string(5'000, 'x')}}));
  script.send(frame(FrameType::kHeaders, kEndStream, 3, big.substr(0, 16'000)));
  script.send(continuation(3, big.substr(16'000), kEndHeaders));
  EXPECT_EQ(join(script.heard()), "headers 3 truncated end") << "[104] past the hard limit: the layer above answers";
  EXPECT_EQ(script.connection().counters().truncated_headers, 1u);
  Fields many;
  for (int i = 0; i < 1000; ++i) many.emplace_back("n" + std::to_string(i), "");
  const std::string block_of_many = block(request_fields(many));
  script.send(frame(FrameType::kHeaders, kEndStream | kEndHeaders, 5, block_of_many));
  EXPECT_EQ(join(script.heard()), "headers 5 truncated end") << "[108] so many fields";
  EXPECT_FALSE(script.connection().failed());
}

}  // namespace
}  // namespace gaggle::http2::testing
