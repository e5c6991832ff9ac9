// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_codes.h"

#include <gtest/gtest.h>

namespace gaggle::wire {
namespace {

TEST(GrpcStatus, is_its_number) {
  for (int number = 0; number <= 16; ++number) {
    const auto code = static_cast<StatusCode>(number);
    EXPECT_EQ(status_number(code), std::to_string(number));
    EXPECT_EQ(parse_status_number(std::to_string(number)), code);
  }
}

TEST(GrpcStatus, without_a_name_is_unknown) {
  EXPECT_EQ(parse_status_number("17"), StatusCode::kUnknown);
  EXPECT_EQ(parse_status_number("4294967295"), StatusCode::kUnknown);
  EXPECT_EQ(status_number(static_cast<StatusCode>(99)), "2");
}

TEST(GrpcStatus, that_is_no_number_is_told_apart) {
  for (std::string_view text : {"", " ", "-1", "+1", "1x", "x1", "0x1", "1.0", " 5", "5 ", "OK", "4294967296"}) {
    EXPECT_EQ(parse_status_number(text), std::nullopt) << '"' << text << '"';
  }
}

TEST(HttpStatus, maps_as_grpc_says) {
  const std::pair<unsigned, StatusCode> table[] = {
      {400, StatusCode::kInternal},      {401, StatusCode::kUnauthenticated}, {403, StatusCode::kPermissionDenied},
      {404, StatusCode::kUnimplemented}, {429, StatusCode::kUnavailable},     {431, StatusCode::kInternal},
      {502, StatusCode::kUnavailable},   {503, StatusCode::kUnavailable},     {504, StatusCode::kUnavailable},
      {200, StatusCode::kUnknown},       {204, StatusCode::kUnknown},         {302, StatusCode::kUnknown},
      {405, StatusCode::kUnknown},       {415, StatusCode::kUnknown},         {500, StatusCode::kUnknown},
      {0, StatusCode::kUnknown},         {1000, StatusCode::kUnknown}};
  for (auto [http, code] : table) EXPECT_EQ(code_of_http_status(http), code) << http;
}

TEST(StreamReset, maps_as_grpc_says) {
  const std::pair<uint32_t, StatusCode> table[] = {
      {0x0, StatusCode::kInternal},          {0x1, StatusCode::kInternal},
      {0x2, StatusCode::kInternal},          {0x3, StatusCode::kInternal},
      {0x4, StatusCode::kInternal},          {0x6, StatusCode::kInternal},
      {0x7, StatusCode::kUnavailable},  // REFUSED_STREAM: nothing was processed
      {0x8, StatusCode::kCancelled},    // CANCEL
      {0x9, StatusCode::kInternal},          {0xA, StatusCode::kInternal},
      {0xB, StatusCode::kResourceExhausted},  // ENHANCE_YOUR_CALM
      {0xC, StatusCode::kPermissionDenied},   // INADEQUATE_SECURITY
      {0xD, StatusCode::kInternal},          {0xE, StatusCode::kUnknown},
      {0xFFFFFFFF, StatusCode::kUnknown}};
  for (auto [error, code] : table) EXPECT_EQ(code_of_stream_reset(error), code) << error;
}

}  // namespace
}  // namespace gaggle::wire
