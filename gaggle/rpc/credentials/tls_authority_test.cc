// SPDX-License-Identifier: Apache-2.0
//
// Calls with an authority of their own: the server has to be who they say, call by call.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/rpc/credentials/credentials_testing.h"
#include "gaggle/rpc/in_process.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

bool mentions(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Counts how often anybody asks.
class CountingTls final : public ChannelCredentials {
 public:
  explicit CountingTls(const TestAuthority& authority)
      : tls_(std::move(*TlsChannelCredentials::create({.trusted = {.text = authority.pem()}}))) {}
  SecurityLevel security_level() const noexcept override { return tls_->security_level(); }
  std::string_view scheme() const noexcept override { return tls_->scheme(); }
  Task<Result<std::unique_ptr<ByteStream>>> handshake(std::unique_ptr<ByteStream> stream, std::string authority,
                                                      Context context) const override {
    return tls_->handshake(std::move(stream), std::move(authority), std::move(context));
  }
  Status check_authority(const StreamSecurity* security, std::string_view authority) const override {
    asked.emplace_back(authority);
    return tls_->check_authority(security, authority);
  }
  mutable std::vector<std::string> asked;

 private:
  const std::unique_ptr<TlsChannelCredentials> tls_;
};

// Secures, but can't tell whom a server has proven to be.
class Unable final : public ChannelCredentials {
 public:
  SecurityLevel security_level() const noexcept override { return SecurityLevel::kPrivacyAndIntegrity; }
  std::string_view scheme() const noexcept override { return "https"; }
  bool has_handshake() const noexcept override { return false; }
  Task<Result<std::unique_ptr<ByteStream>>> handshake(std::unique_ptr<ByteStream> stream, std::string,
                                                      Context) const override {
    return Task<Result<std::unique_ptr<ByteStream>>>::ready(std::move(stream));
  }
};

struct World {
  LoopGroup loops{1};
  TestAuthority authority;
  WhoService service;
  std::vector<std::unique_ptr<TlsServerCredentials>> server_tls;
  std::unique_ptr<Server> server = std::move(*Server::create(loops));
  CountingTls tls{authority};
  std::unique_ptr<ClientConn> conn;

  World() { EXPECT_TRUE(server->register_service(kWho, service)); }
  // The address of a server with these names.
  std::string listen(std::vector<std::string> names) {
    const TestIdentity identity = authority.issue({.dns_names = std::move(names), .ip_addresses = {"127.0.0.1"}});
    server_tls.push_back(std::move(*TlsServerCredentials::create(
        {.certificates = {.text = identity.certificate_pem()}, .private_key = {.text = identity.key_pem()}})));
    return "127.0.0.1:" + std::to_string(*server->listen("127.0.0.1:0", *server_tls.back()));
  }
  void connect(const std::string& target, ClientConnOptions options = {}) {
    if (options.credentials == nullptr) options.credentials = &tls;
    conn = std::move(*ClientConn::create(loops, target, std::move(options)));
  }
  // What the handler saw as the authority, or the status.
  std::string ask(std::string_view as) {
    return block_on(loops.next(), ask_who(*conn, ":authority", {.authority = as}));
  }
};

TEST(CallAuthorityTest, one_that_the_certificate_is_for_reaches_the_server) {
  World world;
  world.connect(world.listen({"scores.example", "*.wild.example"}));
  EXPECT_EQ(world.ask("scores.example"), "scores.example");
  EXPECT_EQ(world.ask("scores.example:99"), "scores.example:99") << "the port isn't part of the name";
  EXPECT_EQ(world.ask("SCORES.example."), "SCORES.example.") << "names have no case, and may end with a dot";
  EXPECT_EQ(world.ask("a.wild.example"), "a.wild.example");
  EXPECT_EQ(world.ask("127.0.0.1:1"), "127.0.0.1:1") << "an address among its names";
}

TEST(CallAuthorityTest, another_one_ends_the_call_and_nothing_else) {
  World world;
  const std::string address = world.listen({"scores.example", "*.wild.example"});
  world.connect(address);
  for (const std::string_view bad : {"other.example", "example", "x.scores.example", "a.b.wild.example", "wild.example",
                                     ".example", ".wild.example", "127.0.0.2", "[::1]:443", "server", ":443"}) {
    const std::string refused = world.ask(bad);
    EXPECT_EQ(refused.substr(0, 11), "UNAVAILABLE") << bad << ": " << refused;
    EXPECT_TRUE(mentions(refused, address)) << "and says where: " << refused;
  }
  EXPECT_TRUE(
      mentions(world.ask("other.example"), "is for scores.example, *.wild.example, 127.0.0.1, not for other.example"));
  EXPECT_EQ(world.ask({}), address) << "the connection is as good as before";
  EXPECT_EQ(world.conn->counters().connect_attempts, 1u);
  EXPECT_EQ(world.server->counters().calls_started, 1u) << "the server never heard of the others";
}

TEST(CallAuthorityTest, waiting_for_ready_does_not_help) {
  World world;
  world.connect(world.listen({"scores.example"}));
  const CallOptions options{.wait_for_ready = true, .authority = "other.example"};
  const std::string refused = block_on(world.loops.next(), ask_who(*world.conn, {}, options));
  EXPECT_TRUE(mentions(refused, "UNAVAILABLE")) << "this server won't become another one: " << refused;
}

TEST(CallAuthorityTest, the_check_is_made_once_for_calls_that_say_the_same) {
  World world;
  const std::string address = world.listen({"scores.example"});
  world.connect(address);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.ask("scores.example"), "scores.example");
  EXPECT_EQ(world.tls.asked, std::vector<std::string>{"scores.example"});
  world.ask("other.example");
  world.ask("other.example");
  EXPECT_EQ(world.tls.asked.size(), 2u) << "a refusal is remembered like anything else";
  world.ask({});
  EXPECT_EQ(world.ask(address), address);
  EXPECT_EQ(world.tls.asked.size(), 2u) << "the connection's own was proven by the handshake";
}

TEST(CallAuthorityTest, a_default_for_all_calls_is_checked_too) {
  World world;
  ClientConnOptions options;
  options.call_defaults.authority = "other.example";
  world.connect(world.listen({"scores.example"}), std::move(options));
  EXPECT_EQ(world.ask({}).substr(0, 11), "UNAVAILABLE");
  EXPECT_EQ(world.ask("scores.example"), "scores.example") << "the call's own wins";
}

TEST(CallAuthorityTest, a_retry_finds_a_server_that_is_who_the_call_wants) {
  World world;
  const std::string targets = "ipv4:" + world.listen({"a.example"}) + "," + world.listen({"b.example"});
  ClientConnOptions options;
  options.authority = "127.0.0.1";
  options.default_service_config = R"({"loadBalancingConfig":[{"round_robin":{}}],
    "methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":5,"initialBackoff":"0.05s","maxBackoff":"0.05s",
    "backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}]})";
  world.connect(targets, std::move(options));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(world.ask("a.example"), "a.example");
    EXPECT_EQ(world.ask("b.example"), "b.example");
  }
}

TEST(CallAuthorityTest, without_security_and_in_process_any_server_is_anybody) {
  World world;
  world.connect("127.0.0.1:" + std::to_string(*world.server->listen("127.0.0.1:0")),
                {.credentials = insecure_credentials()});
  EXPECT_EQ(world.ask("other.example"), "other.example");
  auto inside = std::move(*InProcessConn::create(world.loops));
  ASSERT_TRUE(inside->register_service(kWho, world.service));
  EXPECT_EQ(block_on(world.loops.next(), ask_who(*inside, ":authority", {.authority = "any.example"})), "any.example");
}

TEST(CallAuthorityTest, credentials_that_cannot_tell_allow_none) {
  const Unable unable;
  World world;
  const std::string address = "127.0.0.1:" + std::to_string(*world.server->listen("127.0.0.1:0"));
  world.connect(address, {.credentials = &unable});
  EXPECT_TRUE(mentions(world.ask("other.example"), "can't tell whether")) << world.ask("other.example");
  EXPECT_EQ(world.ask({}), address);
}

}  // namespace
}  // namespace gaggle
