// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gaggle/net/loop.h"

namespace gaggle {

// A name server for tests: on one port of 127.0.0.1, by UDP and TCP, on the test's own loop.
//
// A name that it knows nothing about doesn't exist (NXDOMAIN); one that it knows other records of has
// an empty answer.
class TestDnsServer {
 public:
  explicit TestDnsServer(Loop& loop);
  TestDnsServer(const TestDnsServer&) = delete;
  TestDnsServer& operator=(const TestDnsServer&) = delete;
  ~TestDnsServer();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  void add_a(const std::string& name, std::array<uint8_t, 4> number);
  void add_aaaa(const std::string& name, uint8_t last_byte);  // ::LAST
  // One record of these strings, of up to 255 bytes each.
  void add_txt(const std::string& name, const std::vector<std::string>& strings);
  void remove(const std::string& name) { records_.erase(name); }

  std::set<std::string> broken;     // names that are answered with SERVFAIL
  std::set<std::string> truncated;  // names that are answered only by TCP
  std::set<std::string> muted;      // names that are never answered
  bool silent = false;              // nobody is answered
  bool lies = false;                // rubbish comes before each answer
  std::vector<std::string> asked;   // "name TYPE", with "/tcp" behind if it came that way

 private:
  struct TcpClient;
  static constexpr uint16_t kA = 1;
  static constexpr uint16_t kTxt = 16;
  static constexpr uint16_t kAaaa = 28;

  std::string answer(std::string_view query, bool tcp);
  void receive();
  void accept();
  void read_tcp(std::shared_ptr<TcpClient> client);

  asio::ip::udp::socket udp_;
  asio::ip::tcp::acceptor tcp_;
  uint16_t port_ = 0;
  std::map<std::string, std::vector<std::pair<uint16_t, std::string>>> records_;  // by name: type, data
  std::array<char, 4096> buffer_{};
  asio::ip::udp::endpoint sender_;
};

}  // namespace gaggle
