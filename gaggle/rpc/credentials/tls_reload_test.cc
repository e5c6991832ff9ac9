// SPDX-License-Identifier: Apache-2.0
//
// Certificates whose files change while they are in use.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gaggle/rpc/credentials/credentials_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

struct LogLines {
  std::vector<std::string> lines;
  Log log() {
    return {[](void* self, LogLevel, std::string_view line) { static_cast<LogLines*>(self)->lines.emplace_back(line); },
            this, LogLevel::kInfo};
  }
};

struct Files {
  std::filesystem::path folder;
  Files() {
    std::string name = (std::filesystem::temp_directory_path() / "gaggle-tls-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~Files() { std::filesystem::remove_all(folder); }
  std::string path(const char* name) const { return (folder / name).string(); }
  void write(const char* name, std::string_view text) const {
    // As those who rotate certificates do it: never half a file.
    std::ofstream(folder / "new") << text;
    std::filesystem::rename(folder / "new", folder / name);
  }
  void write(const TestIdentity& identity) const {
    write("cert.pem", identity.certificate_pem());
    write("key.pem", identity.key_pem());
  }
};

struct World {
  Files files;
  LogLines log;
  TestAuthority authority;
  LoopGroup loops{1};
  std::unique_ptr<TlsServerCredentials> server_tls;
  std::unique_ptr<TlsChannelCredentials> client_tls;
  WhoService service;
  std::unique_ptr<Server> server;
  std::string address;
  std::vector<std::unique_ptr<ClientConn>> conns;

  explicit World(Duration interval) {
    files.write(named("first"));
    files.write("ca.pem", authority.pem());
    server_tls = std::move(*TlsServerCredentials::create({.certificates = {.file = files.path("cert.pem")},
                                                          .private_key = {.file = files.path("key.pem")},
                                                          .reload_interval = interval,
                                                          .log = log.log()}));
    client_tls = std::move(*TlsChannelCredentials::create(
        {.trusted = {.file = files.path("ca.pem")}, .reload_interval = interval, .log = log.log()}));
    server = std::move(*Server::create(loops));
    EXPECT_TRUE(server->register_service(kWho, service));
    address = "127.0.0.1:" + std::to_string(*server->listen("127.0.0.1:0", *server_tls));
  }
  TestIdentity named(std::string name) const {
    return authority.issue({.common_name = std::move(name), .ip_addresses = {"127.0.0.1"}});
  }
  // Whom a new connection meets.
  std::string meet() {
    conns.push_back(std::move(*ClientConn::create(loops, address, {.credentials = client_tls.get()})));
    return meet_again(*conns.back());
  }
  std::string meet_again(ClientConn& conn) {
    Peer peer;
    const std::string answer = block_on(loops.next(), ask_who(conn, {}, {.peer = &peer}));
    return peer.security != nullptr ? peer.security->peer_certificate.subject : answer;
  }
};

TEST(TlsReloadTest, new_connections_meet_the_new_certificate_and_old_ones_stay) {  // [200]
  World world(1ns);
  EXPECT_EQ(world.meet(), "CN=first");
  world.files.write(world.named("second"));
  EXPECT_EQ(world.meet(), "CN=second");
  EXPECT_EQ(world.meet_again(*world.conns[0]), "CN=first") << "the first connection is as it was";
  EXPECT_EQ(world.server_tls->counters().reloads, 1u);
  EXPECT_EQ(world.conns[0]->counters().connect_attempts, 1u);
}

TEST(TlsReloadTest, bad_files_keep_the_old_certificate_and_are_counted_and_logged_once) {
  World world(1ns);
  world.files.write("cert.pem", "this is no certificate");
  EXPECT_EQ(world.meet(), "CN=first");
  EXPECT_EQ(world.meet(), "CN=first");
  EXPECT_EQ(world.server_tls->counters().reloads, 0u);
  EXPECT_EQ(world.server_tls->counters().reloads_failed, 1u);
  ASSERT_EQ(world.log.lines.size(), 1u);
  EXPECT_NE(world.log.lines[0].find("the old certificates stay in use"), std::string::npos) << world.log.lines[0];
  std::filesystem::remove(world.files.folder / "cert.pem");
  EXPECT_EQ(world.meet(), "CN=first");
  EXPECT_EQ(world.server_tls->counters().reloads_failed, 2u) << "another mistake";
}

TEST(TlsReloadTest, files_that_were_gone_for_a_while_are_as_good_as_before) {
  World world(0s);
  const std::filesystem::path key = world.files.path("key.pem");
  for (int i = 1; i <= 2; ++i) {
    std::filesystem::rename(key, key.string() + ".away");
    EXPECT_EQ(world.server_tls->reload().code(), StatusCode::kNotFound);
    EXPECT_EQ(world.server_tls->counters().reloads_failed, static_cast<uint64_t>(i)) << "a new mistake each time";
    std::filesystem::rename(key.string() + ".away", key);
    EXPECT_TRUE(world.server_tls->reload()) << "what is in use is what is in the files";
  }
  world.files.write("key.pem", "garbage");
  EXPECT_EQ(world.server_tls->reload().code(), StatusCode::kInvalidArgument);
  std::filesystem::rename(key, key.string() + ".away");
  EXPECT_EQ(world.server_tls->reload().code(), StatusCode::kNotFound);
  std::filesystem::rename(key.string() + ".away", key);
  EXPECT_EQ(world.server_tls->reload().code(), StatusCode::kInvalidArgument) << "garbage is garbage still";
}

TEST(TlsReloadTest, certificate_and_key_may_come_one_after_the_other) {
  World world(1ns);
  const TestIdentity second = world.named("second");
  world.files.write("cert.pem", second.certificate_pem());
  EXPECT_EQ(world.meet(), "CN=first") << "the new certificate doesn't fit the old key";
  world.files.write("key.pem", second.key_pem());
  EXPECT_EQ(world.meet(), "CN=second");
}

TEST(TlsReloadTest, new_authorities_are_trusted_and_old_ones_are_not) {
  World world(1ns);
  EXPECT_EQ(world.meet(), "CN=first");
  const TestAuthority another;
  world.files.write("ca.pem", another.pem());
  EXPECT_NE(world.meet().find("UNAVAILABLE"), std::string::npos) << "tickets of the old trust are no way in";
  world.files.write(another.issue({.common_name = "third", .ip_addresses = {"127.0.0.1"}}));
  EXPECT_EQ(world.meet(), "CN=third");
}

TEST(TlsReloadTest, without_an_interval_only_reload_looks) {
  World world(Duration::zero());
  world.files.write(world.named("second"));
  EXPECT_EQ(world.meet(), "CN=first");
  EXPECT_TRUE(world.server_tls->reload());
  EXPECT_EQ(world.meet(), "CN=second");
  world.files.write("key.pem", "no key");
  const Status bad = world.server_tls->reload();
  EXPECT_EQ(bad.code(), StatusCode::kInvalidArgument) << bad.to_string();
  EXPECT_EQ(world.meet(), "CN=second");
}

TEST(TlsReloadTest, files_are_read_again_after_the_interval_only) {
  Files files;
  const TestAuthority authority;
  files.write("ca.pem", authority.pem());
  TlsSource source({.trusted = {.file = files.path("ca.pem")}},
                   [](const TlsMaterial& material) { return TlsContext::client(material, 0); }, 10s, {});
  ASSERT_TRUE(source.load());
  const TimePoint start{1h};
  const auto first = source.current(start);
  files.write("ca.pem", TestAuthority("another").pem());
  EXPECT_EQ(source.current(start + 9s), first);
  EXPECT_NE(source.current(start + 10s), first);
}

}  // namespace
}  // namespace gaggle
