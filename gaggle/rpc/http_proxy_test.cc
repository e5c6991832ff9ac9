// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/http_proxy.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "gaggle/net/byte_stream_testing.h"
#include "gaggle/net/loop_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using Dialled = Result<std::unique_ptr<ByteStream>>;

// What is dialled ends here.
class Pipes final : public Dialer {
 public:
  Task<Dialled> dial(Loop& loop, Address address, Context) override {
    dialled = address.to_string();
    StreamPair pair = make_stream_pair(loop);
    far = std::move(pair.server);
    return Task<Dialled>::ready(std::unique_ptr<ByteStream>(std::move(pair.client)));
  }
  std::string dialled;
  std::unique_ptr<PipeStream> far;
};

struct World {
  VirtualLoop time;
  Pipes pipes;
  HttpProxyDialer dialer;
  TaskRecord<Dialled> record;
  Context context = Context{}.with_clock(time.clock).with_timeout(20s);

  explicit World(std::string_view url = "http://proxy.example:3128")
      : dialer(std::move(*HttpProxy::parse(url)), &pipes) {}
  // Nothing may be under way when the record goes.
  ~World() {
    pipes.far.reset();
    time.settle();
  }
  void dial(std::string_view address) {
    const Loop::Enter enter(time.loop);
    Task<Dialled> task = dialer.dial(time.loop, *Address::parse(address), context);
    start(std::move(task), record, context);
    time.settle();
  }
  std::string heard() {
    std::string buffer(4096, '\0');
    const IoResult result = pipes.far->read({reinterpret_cast<uint8_t*>(buffer.data()), buffer.size()});
    return buffer.substr(0, result.bytes);
  }
  void say(std::string_view text) {
    const iovec piece{const_cast<char*>(text.data()), text.size()};
    static_cast<void>(pipes.far->write({&piece, 1}));
    time.settle();
  }
};

TEST(HttpProxyTest, a_tunnel_is_asked_for_and_begins_right_after_the_answer) {
  World world;
  world.dial("scores.example:443");
  EXPECT_EQ(world.pipes.dialled, "proxy.example:3128");
  EXPECT_EQ(world.heard(), "CONNECT scores.example:443 HTTP/1.1\r\nHost: scores.example:443\r\n\r\n");
  world.say("HTTP/1.1 200 Connection established\r\nVia: somebody\r\n");
  EXPECT_FALSE(world.record.ended());
  world.say("\r\nthe server speaks first");
  ASSERT_TRUE(world.record.ended());
  Dialled stream = world.record.take();
  ASSERT_TRUE(stream) << stream.status().to_string();
  std::string buffer(100, '\0');
  const IoResult result = (*stream)->read({reinterpret_cast<uint8_t*>(buffer.data()), buffer.size()});
  EXPECT_EQ(buffer.substr(0, result.bytes), "the server speaks first") << "nothing of it was swallowed";
}

TEST(HttpProxyTest, a_host_cannot_write_lines_of_the_request) {
  for (const char* host : {"scores.example\r\nX-Evil: 1", "a b", "a\tb", "caf\xc3\xa9"}) {
    World world;
    {
      const Loop::Enter enter(world.time.loop);
      start(world.dialer.dial(world.time.loop, Address::tcp(host, 443), world.context), world.record, world.context);
    }
    world.time.settle();
    ASSERT_TRUE(world.record.ended());
    EXPECT_EQ(world.record.take().status().code(), StatusCode::kUnavailable);
    EXPECT_EQ(world.pipes.dialled, "") << "the proxy never hears of it";
  }
}

TEST(HttpProxyTest, a_user_is_authorized) {
  World world("http://Aladdin:open%20sesame@proxy.example:3128");
  world.dial("[::1]:50051");
  // RFC 7617 has this very example.
  EXPECT_EQ(world.heard(),
            "CONNECT [::1]:50051 HTTP/1.1\r\nHost: [::1]:50051\r\n"
            "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
}

TEST(HttpProxyTest, refusals_garbage_and_silence_are_unavailable_in_the_proxys_words) {
  const auto status_after = [](std::string_view answer, bool close) {
    World world;
    world.dial("scores.example:443");
    world.say(answer);
    if (close) world.pipes.far->close();
    world.time.advance(30s);
    return world.record.take().status();
  };
  const Status refused = status_after("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", false);
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  EXPECT_EQ(refused.message(), "the proxy proxy.example:3128: it refuses: HTTP/1.1 407 Proxy Authentication Required");
  EXPECT_EQ(status_after("SSH-2.0-OpenSSH\r\n\r\n", false).code(), StatusCode::kUnavailable);
  EXPECT_EQ(status_after(std::string(9000, 'x'), false).code(), StatusCode::kUnavailable) << "bounded";
  EXPECT_EQ(status_after("HTTP/1.1 200", true).code(), StatusCode::kUnavailable);
  EXPECT_EQ(status_after("", false).code(), StatusCode::kDeadlineExceeded) << "the attempt's time counts";
}

TEST(HttpProxyTest, exempt_hosts_and_unix_paths_are_reached_directly) {
  World world;
  world.dial("unix:/run/x.sock");
  EXPECT_EQ(world.pipes.dialled, "unix:/run/x.sock");
  HttpProxy proxy = *HttpProxy::parse("proxy:1");
  proxy.exempt = {".internal", "example.com", "10.0.0.1"};
  const auto is_for = [&](std::string_view text) { return proxy.is_for(*Address::parse(text)); };
  EXPECT_FALSE(is_for("a.internal:1"));
  EXPECT_FALSE(is_for("example.com:1"));
  EXPECT_FALSE(is_for("A.Example.com:1"));
  EXPECT_FALSE(is_for("10.0.0.1:1"));
  EXPECT_TRUE(is_for("notexample.com:1"));
  EXPECT_TRUE(is_for("10.0.0.11:1"));
  proxy.exempt = {"0.1", ".0.0.1"};
  EXPECT_TRUE(is_for("10.0.0.1:1")) << "an address has no domain";
  proxy.exempt = {"*"};
  EXPECT_FALSE(is_for("anybody:1"));
  proxy.exempt = {"*.example.com"};
  EXPECT_FALSE(is_for("a.b.example.com:1"));
  EXPECT_FALSE(is_for("example.com:1"));
  EXPECT_TRUE(is_for("notexample.com:1"));
}

TEST(HttpProxyTest, ranges_of_addresses_are_exempt) {
  HttpProxy proxy = *HttpProxy::parse("proxy:1");
  const auto is_for = [&](std::string_view rule, std::string_view host) {
    proxy.exempt = {std::string(rule)};
    return proxy.is_for(*Address::parse(host));
  };
  EXPECT_FALSE(is_for("10.0.0.0/8", "10.255.1.2:1"));
  EXPECT_TRUE(is_for("10.0.0.0/8", "11.0.0.1:1"));
  EXPECT_FALSE(is_for("10.1.2.77/8", "10.9.9.9:1")) << "bits beyond the prefix say nothing";
  EXPECT_FALSE(is_for("192.168.4.0/22", "192.168.7.255:1")) << "a prefix that ends within a byte";
  EXPECT_TRUE(is_for("192.168.4.0/22", "192.168.8.0:1"));
  EXPECT_FALSE(is_for("10.0.0.7/32", "10.0.0.7:1"));
  EXPECT_TRUE(is_for("10.0.0.7/32", "10.0.0.6:1"));
  EXPECT_FALSE(is_for("0.0.0.0/0", "8.8.8.8:1"));
  EXPECT_FALSE(is_for("fd00::/8", "[fdab::1]:1"));
  EXPECT_TRUE(is_for("fd00::/8", "[fe80::1]:1"));
  EXPECT_FALSE(is_for("2001:DB8:0::7", "[2001:db8::7]:1")) << "one address, written in two ways";
  EXPECT_TRUE(is_for("0.0.0.0/0", "[::1]:1")) << "of one family only";
  EXPECT_TRUE(is_for("10.0.0.0/8", "ten.example:1")) << "names aren't looked up";
  for (const char* bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/8x", "10.0.0.0/-1", "10.0.0/8", "/8"}) {
    EXPECT_TRUE(is_for(bad, "10.0.0.0:1")) << bad;
  }
}

TEST(HttpProxyTest, urls_are_read_and_bad_ones_refused) {
  EXPECT_EQ(HttpProxy::parse("http://p.example/")->address.to_string(), "p.example:80");
  EXPECT_EQ(HttpProxy::parse("p.example:3128")->address.to_string(), "p.example:3128");
  for (const char* bad : {"https://p.example", "socks5://p", "", "http://", "p:99999"}) {
    EXPECT_EQ(HttpProxy::parse(bad).status().code(), StatusCode::kInvalidArgument) << bad;
  }
  const std::string_view with_nul("http://u\0:x@p:1", 15);
  for (const std::string_view bad : std::initializer_list<std::string_view>{
           "http://u%zz:x@p:1", "http://u:x%@p:1", "http://u:x%2@p:1", "http://u%3Av:x@p:1", "http://u%0D%0A:x@p:1",
           "http://u:x%7f@p:1", "http://u\r\n:x@p:1", "http://p\r\nx:1", "http://p :1", with_nul}) {
    const Status refused = HttpProxy::parse(bad).status();
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument) << bad;
    EXPECT_TRUE(refused.message().starts_with("not the URL of an HTTP proxy: ")) << refused.message();
  }
  EXPECT_EQ(HttpProxy::parse("http://%C3%BC:%25%3A@p:1")->authorization, "Basic w7w6JTo=") << "other bytes are fine";
  const Status secret = HttpProxy::parse("http://u:secret@p:bad").status();
  EXPECT_EQ(secret.message().find("secret"), std::string_view::npos) << "passwords stay out of messages";
}

TEST(HttpProxyTest, the_environment_is_read_when_asked_and_grpcs_own_variable_wins) {
  std::map<std::string, std::string> variables;
  const auto environment = [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  const auto read = [&] { return HttpProxy::from_environment(environment); };
  EXPECT_FALSE((*read()).has_value());
  variables = {{"http_proxy", "http://plain:1"}, {"https_proxy", "http://secure:2"}, {"no_proxy", "a.example, .b"}};
  EXPECT_EQ((*read())->address.host, "secure");
  EXPECT_EQ((*read())->exempt, (std::vector<std::string>{"a.example", ".b"}));
  variables["grpc_proxy"] = "http://own:3";
  variables["no_grpc_proxy"] = "c";
  EXPECT_EQ((*read())->address.host, "own");
  EXPECT_EQ((*read())->exempt, (std::vector<std::string>{"c"}));
  variables["grpc_proxy"] = "ftp://own:3";
  EXPECT_EQ(read().status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace gaggle
