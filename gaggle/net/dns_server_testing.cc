// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/dns_server_testing.h"

#include <asio/buffer.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

namespace gaggle {
namespace {

// RFC 1035 §4.1.1.
constexpr size_t kHeaderBytes = 12;
constexpr uint8_t kResponse = 0x80;
constexpr uint8_t kTruncated = 0x02;
constexpr uint8_t kServFail = 2;
constexpr uint8_t kNxDomain = 3;

void put16(std::string& out, size_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xFF));
}

}  // namespace

struct TestDnsServer::TcpClient {
  explicit TcpClient(asio::ip::tcp::socket accepted) : socket(std::move(accepted)) {}
  asio::ip::tcp::socket socket;
  std::array<unsigned char, 2> length{};
  std::string message;
};

TestDnsServer::TestDnsServer(Loop& loop) : udp_(loop.io_context()), tcp_(loop.io_context()) {
  tcp_.open(asio::ip::tcp::v4());
  tcp_.bind({asio::ip::address_v4::loopback(), 0});
  tcp_.listen();
  port_ = tcp_.local_endpoint().port();
  udp_.open(asio::ip::udp::v4());
  udp_.bind({asio::ip::address_v4::loopback(), port_});
  receive();
  accept();
}

TestDnsServer::~TestDnsServer() = default;

void TestDnsServer::add_a(const std::string& name, std::array<uint8_t, 4> number) {
  records_[name].emplace_back(kA, std::string(number.begin(), number.end()));
}

void TestDnsServer::add_aaaa(const std::string& name, uint8_t last_byte) {
  std::string number(16, '\0');
  number.back() = static_cast<char>(last_byte);
  records_[name].emplace_back(kAaaa, number);
}

void TestDnsServer::add_txt(const std::string& name, const std::vector<std::string>& strings) {
  std::string data;
  for (const std::string& text : strings) data.append(1, static_cast<char>(text.size())).append(text);
  records_[name].emplace_back(kTxt, data);
}

std::string TestDnsServer::answer(std::string_view query, bool tcp) {
  if (query.size() < kHeaderBytes) return {};
  std::string name;
  size_t at = kHeaderBytes;
  while (at < query.size() && query[at] != 0) {
    const auto length = static_cast<uint8_t>(query[at]);
    name.append(name.empty() ? "" : ".").append(query.substr(at + 1, length));
    at += length + 1u;
  }
  if (at + 5 > query.size()) return {};
  const auto type =
      static_cast<uint16_t>(static_cast<uint8_t>(query[at + 1]) << 8 | static_cast<uint8_t>(query[at + 2]));
  const std::string type_name = type == kA ? "A" : type == kAaaa ? "AAAA" : type == kTxt ? "TXT" : std::to_string(type);
  asked.push_back(name + " " + type_name + (tcp ? "/tcp" : ""));
  if (muted.contains(name)) return {};

  const auto found = records_.find(name);
  const bool cut = !tcp && truncated.contains(name);
  const uint8_t code = broken.contains(name) ? kServFail : found == records_.end() ? kNxDomain : 0;
  std::string body;
  size_t count = 0;
  for (const auto& [of_type, data] : code == 0 && !cut ? found->second : decltype(found->second){}) {
    if (of_type != type) continue;
    ++count;
    body.append("\xC0\x0C", 2);  // the name of the question
    put16(body, of_type);
    put16(body, 1);
    body.append("\0\0\0\x3C", 4);
    put16(body, data.size());
    body.append(data);
  }
  std::string reply(query.substr(0, 2));
  reply.push_back(static_cast<char>(kResponse | (cut ? kTruncated : 0) | (query[2] & 0x01)));
  reply.push_back(static_cast<char>(0x80 | code));
  put16(reply, 1);
  put16(reply, count);
  put16(reply, 0);
  put16(reply, 0);
  return reply.append(query.substr(kHeaderBytes, at + 5 - kHeaderBytes)).append(body);
}

void TestDnsServer::receive() {
  udp_.async_receive_from(asio::buffer(buffer_), sender_, [this](const asio::error_code& error, size_t bytes) {
    if (error) return;
    const std::string reply = answer({buffer_.data(), bytes}, false);
    asio::error_code ignored;
    if (!silent && lies) {
      std::string lie = reply;
      lie[0] = static_cast<char>(lie[0] ^ 0x55);  // somebody else's id
      udp_.send_to(asio::buffer(lie), sender_, 0, ignored);
      udp_.send_to(asio::buffer(std::string("\xFF\xFF\xFF")), sender_, 0, ignored);
    }
    if (!silent && !reply.empty()) udp_.send_to(asio::buffer(reply), sender_, 0, ignored);
    receive();
  });
}

void TestDnsServer::accept() {
  tcp_.async_accept([this](const asio::error_code& error, asio::ip::tcp::socket socket) {
    if (error) return;
    read_tcp(std::make_shared<TcpClient>(std::move(socket)));
    accept();
  });
}

// RFC 1035 §4.2.2: two bytes of length before each message.
void TestDnsServer::read_tcp(std::shared_ptr<TcpClient> client) {
  TcpClient& it = *client;
  asio::async_read(it.socket, asio::buffer(it.length), [this, client](const asio::error_code& failed, size_t) {
    if (failed) return;
    client->message.resize(static_cast<size_t>(client->length[0]) << 8 | client->length[1]);
    asio::async_read(client->socket, asio::buffer(client->message),
                     [this, client](const asio::error_code& error, size_t) {
                       if (error) return;
                       const std::string reply = answer(client->message, true);
                       std::string framed;
                       put16(framed, reply.size());
                       framed.append(reply);
                       asio::error_code ignored;
                       if (!silent) asio::write(client->socket, asio::buffer(framed), ignored);
                       read_tcp(client);
                     });
  });
}

}  // namespace gaggle
