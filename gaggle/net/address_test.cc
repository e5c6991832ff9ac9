// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/address.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gaggle/net/socket_address.h"

namespace gaggle {
namespace {

TEST(Address, reads_its_written_forms_and_writes_them_again) {
  for (const char* text : {"127.0.0.1:50051", "scores.example:443", "[::1]:50051", ":80", "unix:/run/gaggle.sock",
                           "unix:@abstract", "localhost:0", "[fe80::1%lo]:1"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address) << text << ": " << address.error().to_string();
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(Address, a_default_port_stands_in_for_a_missing_one) {
  EXPECT_EQ(Address::parse("host", 443)->port, 443);
  EXPECT_EQ(Address::parse("[::1]", 443)->host, "::1");
  EXPECT_EQ(Address::parse("host:1", 443)->port, 1);
}

TEST(Address, says_what_is_wrong) {
  struct Case {
    const char* text;
    const char* reason;
  };
  for (const Case& bad : std::vector<Case>{{"host", "port is missing"},
                                           {"host:", "expected HOST:PORT"},
                                           {"::1", "expected HOST:PORT"},
                                           {"[::1", "expected HOST:PORT"},
                                           {"[::1]50051", "expected HOST:PORT"},
                                           {"[::1]:", "expected HOST:PORT"},
                                           {"host:65536", "0 to 65535"},
                                           {"host:-1", "0 to 65535"},
                                           {"host:12x", "0 to 65535"},
                                           {"host: 1", "0 to 65535"},
                                           {"unix:", "path must follow"}}) {
    const auto address = Address::parse(bad.text);
    ASSERT_FALSE(address) << bad.text;
    EXPECT_EQ(address.error().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(address.error().message().find(bad.reason), std::string_view::npos) << address.error().to_string();
  }
}

TEST(Address, knows_whether_it_needs_dns) {
  EXPECT_TRUE(Address::tcp("10.0.0.1", 1).is_numeric());
  EXPECT_TRUE(Address::tcp("::1", 1).is_numeric());
  EXPECT_TRUE(Address::unix_path("/x").is_numeric());
  EXPECT_FALSE(Address::tcp("localhost", 1).is_numeric());
  EXPECT_FALSE(Address::tcp("10.0.0.1.example", 1).is_numeric());
}

TEST(SocketAddress, goes_to_the_system_and_back) {
  for (const Address& address :
       {Address::tcp("127.0.0.1", 80), Address::tcp("::1", 443), Address::unix_path("/a/b"),
        Address::tcp("fe80::1%lo", 1), Address::tcp("ff02::1%lo", 1), Address::tcp("fe80::1%4000000000", 1),
        Address::tcp("2001:db8::1%7", 65535), Address::unix_path("@hidden")}) {
    const auto socket = SocketAddress::of(address);
    ASSERT_TRUE(socket) << address.to_string();
    EXPECT_EQ(socket->to_address(), address) << address.to_string();
  }
}

TEST(SocketAddress, one_text_of_an_address_is_written_for_all_that_are_read) {
  const auto written = [](std::string_view host) {
    return SocketAddress::of(Address::tcp(host, 1))->to_address().host;
  };
  EXPECT_EQ(written("0:0::0:1"), "::1");
  EXPECT_EQ(written("FE80::A%lo"), "fe80::a%lo");
  EXPECT_EQ(written("fe80::1%1"), "fe80::1%lo");  // the loopback interface is the first there is
  EXPECT_EQ(written("localhost"), "127.0.0.1");
  EXPECT_EQ(written(""), "::");
}

TEST(SocketAddress, refuses_what_only_looks_like_an_address) {
  for (const std::string_view host :
       {std::string_view("127.1"), std::string_view("2130706433"), std::string_view("0x7f.0.0.1"),
        std::string_view("256.0.0.1"), std::string_view("1.2.3.4 "), std::string_view("1.2.3.4\0.example", 15),
        std::string_view("::1::"), std::string_view("fe80::1%"), std::string_view("fe80::1%lo\0x", 12),
        std::string_view("fe80::1%no-such-link"), std::string_view("2001:db8::1%lo"), std::string_view("fe80::1%-1"),
        std::string_view("1.2.3.4%1")}) {
    const auto socket = SocketAddress::of(Address::tcp(host, 1));
    ASSERT_FALSE(socket) << host;
    EXPECT_EQ(socket.error().code(), StatusCode::kInvalidArgument) << host;
  }
}

TEST(SocketAddress, refuses_a_unix_path_that_the_system_would_cut) {
  EXPECT_TRUE(SocketAddress::of(Address::unix_path(std::string(107, 'x'))));
  EXPECT_FALSE(SocketAddress::of(Address::unix_path(std::string(108, 'x'))));
  EXPECT_FALSE(SocketAddress::of(Address::unix_path("")));
}

}  // namespace
}  // namespace gaggle
