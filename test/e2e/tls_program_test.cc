// SPDX-License-Identifier: Apache-2.0
//
// `gaggle serve` with TLS, as a process.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include "cluster_testing.h"
#include "gaggle/net/stream_security.h"
#include "gaggle/net/tls_testing.h"
#include "gaggle/rpc/credentials/tls.h"
#include "groupcache.gaggle.h"

#ifdef GAGGLE_PROGRAM

namespace gaggle::e2e {
namespace {

using namespace std::chrono_literals;

struct TlsProgramTest : ::testing::Test {
  OriginDatabase origin;
  Folder files;
  TestAuthority authority;
  LoopGroup loops{1};
  std::unique_ptr<TlsChannelCredentials> tls;
  std::string seen;  // the node's subject

  void SetUp() override {
    origin.put("k", "value");
    use("first");
    write("ca.pem", authority.pem());
  }
  TestIdentity named(std::string name) const {
    return authority.issue({.common_name = std::move(name), .ip_addresses = {"127.0.0.1"}});
  }
  void write(const char* name, const std::string& text) const { std::ofstream(files.path(name)) << text; }
  void use(const char* name) const {
    const TestIdentity identity = named(name);
    write("cert.pem", identity.certificate_pem());
    write("key.pem", identity.key_pem());
  }
  Node::Options node_options() const {
    return {.groups = {origin.group()},
            .more = {"--tls-cert", files.path("cert.pem"), "--tls-key", files.path("key.pem")}};
  }
  Status get(const Node& node, TlsChannelOptions options = {}) {
    options.trusted.text = authority.pem();
    tls = std::move(*TlsChannelCredentials::create(std::move(options)));
    return get_with(node, *tls);
  }
  Status get_with(const Node& node, const ChannelCredentials& credentials) {
    const auto conn = std::move(*ClientConn::create(loops, node.address(), {.credentials = &credentials}));
    groupcachepb::GroupCacheClient client(*conn);
    groupcachepb::Request request;
    request.set_groupname("g");
    request.set_key("k");
    groupcachepb::Response response;
    Peer peer;
    Status status = client.BlockingGet(Context().with_timeout(patience(20s)), request, response, {.peer = &peer});
    if (peer.security != nullptr) seen = peer.security->peer_certificate.subject;
    return status;
  }
};

TEST_F(TlsProgramTest, a_node_with_a_certificate_speaks_tls_only) {
  Node node(node_options());
  const Status status = get(node);
  EXPECT_TRUE(status.code() == StatusCode::kOk || status.code() == StatusCode::kNotFound) << status.to_string();
  EXPECT_EQ(seen, "CN=first");
  EXPECT_EQ(get_with(node, *insecure_credentials()).code(), StatusCode::kUnavailable);
}

TEST_F(TlsProgramTest, a_node_asks_for_client_certificates_when_told_to) {
  Node::Options options = node_options();
  options.more.insert(options.more.end(), {"--tls-client-ca", files.path("ca.pem")});
  Node node(options);
  EXPECT_EQ(get(node).code(), StatusCode::kUnavailable);
  const TestIdentity client = named("client");
  const Status status =
      get(node, {.certificates = {.text = client.certificate_pem()}, .private_key = {.text = client.key_pem()}});
  EXPECT_NE(status.code(), StatusCode::kUnavailable) << status.to_string();
}

TEST_F(TlsProgramTest, sighup_makes_a_node_read_its_files_again) {
  Node node(node_options());
  static_cast<void>(get(node));
  EXPECT_EQ(seen, "CN=first");
  use("second");
  node.signal(SIGHUP);
  // The process hears it in its own time, but long before it would look by itself, after 10 s.
  const auto give_up = std::chrono::steady_clock::now() + 8s;
  while (seen != "CN=second" && std::chrono::steady_clock::now() < give_up) {
    static_cast<void>(get(node));
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(seen, "CN=second");
}

}  // namespace
}  // namespace gaggle::e2e

#endif
