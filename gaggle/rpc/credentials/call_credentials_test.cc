// SPDX-License-Identifier: Apache-2.0
//
// Tokens on calls: which calls carry them, when they are got, and what goes wrong.
#include "gaggle/rpc/credentials/call_credentials.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include <chrono>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "gaggle/net/event.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/resume_on.h"
#include "gaggle/net/spawn.h"
#include "gaggle/rpc/client_testing.h"
#include "gaggle/rpc/credentials/credentials_testing.h"
#include "gaggle/rpc/credentials/jwt_credentials.h"
#include "gaggle/rpc/credentials/token_credentials.h"
#include "gaggle/rpc/in_process.h"
#include "gaggle/rpc/wire_base64.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

struct World {
  VirtualLoop time;
  LoopGroup loops{time.loop};
  WhoService service;
  std::unique_ptr<InProcessConn> conn;

  explicit World(CallCredentials* credentials = nullptr) {
    InProcessOptions options;
    options.client.call_credentials = credentials;
    conn = std::move(*InProcessConn::create(loops, std::move(options)));
    EXPECT_TRUE(conn->register_service(kWho, service));
  }
  ~World() {
    conn.reset();
    time.settle();
  }
  // The authorization that the handler saw, or the status.
  std::string authorization(CallOptions options = {}) { return time.run(ask_who(*conn, "authorization", options)); }
};

std::unique_ptr<StaticTokenCredentials> token(std::string_view text, bool requires_privacy = true) {
  return std::move(*StaticTokenCredentials::create(text, requires_privacy));
}

bool mentions(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// --- Which calls carry them ---

TEST(CallCredentialsTest, the_connections_come_before_the_calls_own) {
  const auto of_connection = token("one");
  const auto of_call = token("two");
  World world(of_connection.get());
  EXPECT_EQ(world.authorization(), "Bearer one");
  EXPECT_EQ(world.authorization({.credentials = of_call.get()}), "Bearer one|Bearer two");
  EXPECT_EQ(world.authorization(), "Bearer one") << "nothing of one call is left for the next";
  World without;
  EXPECT_EQ(without.authorization(), "");
  EXPECT_EQ(without.authorization({.credentials = of_call.get()}), "Bearer two");
}

TEST(CallCredentialsTest, streams_carry_them_too) {
  ClientWorld world;
  const auto credentials = token("of a stream", false);
  world.connect({.call_credentials = credentials.get()});
  Running<Result<std::unique_ptr<ClientStream>>> opening(
      world, world.conn->new_stream(Context{}, kBidiStream, "/test.Service/Talk", {}));
  world.settle();
  ASSERT_TRUE(opening.done());
  const auto stream = opening.take();
  ASSERT_TRUE(stream);
  EXPECT_EQ(world.request().header("authorization"), "Bearer of a stream");
}

TEST(CallCredentialsTest, a_call_that_others_can_read_is_refused_before_anything_is_sent) {
  ClientWorld world;
  world.connect();
  const auto secret = token("secret");
  UnaryRun call(world, Context{}, "x", {.credentials = secret.get()});
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kUnauthenticated);
  EXPECT_TRUE(world.network.dialled.empty());
  const auto open = token("not secret", false);
  UnaryRun allowed(world, Context{}, "x", {.credentials = open.get()});
  world.settle();
  EXPECT_EQ(world.request().header("authorization"), "Bearer not secret");
}

TEST(CallCredentialsTest, a_plain_connection_with_secret_credentials_is_an_error_at_creation) {
  VirtualLoop time;
  LoopGroup loops(time.loop);
  const auto secret = token("secret");
  const auto conn =
      ClientConn::create(loops, "host:1", {.credentials = insecure_credentials(), .call_credentials = secret.get()});
  EXPECT_EQ(conn.status().code(), StatusCode::kInvalidArgument);
}

TEST(CallCredentialsTest, over_tls_a_handler_sees_the_token) {
  LoopGroup loops{1};
  const TestAuthority authority;
  const TestIdentity identity = authority.issue({.ip_addresses = {"127.0.0.1"}});
  const auto server_tls = std::move(*TlsServerCredentials::create(
      {.certificates = {.text = identity.certificate_pem()}, .private_key = {.text = identity.key_pem()}}));
  const auto client_tls = std::move(*TlsChannelCredentials::create({.trusted = {.text = authority.pem()}}));
  const auto credentials = token("over TLS");
  WhoService service;
  auto server = std::move(*Server::create(loops));
  ASSERT_TRUE(server->register_service(kWho, service));
  const uint16_t port = *server->listen("127.0.0.1:0", *server_tls);
  auto conn = std::move(*ClientConn::create(loops, "127.0.0.1:" + std::to_string(port),
                                            {.credentials = client_tls.get(), .call_credentials = credentials.get()}));
  EXPECT_EQ(block_on(loops.next(), ask_who(*conn, "authorization")), "Bearer over TLS");
}

// --- Errors ---

class Failing final : public CallCredentials {
 public:
  explicit Failing(Status status) : status_(std::move(status)) {}
  Task<Answer> metadata(CallCredentialsRequest request) override {
    asked_for = service_url(request);
    return Task<Answer>::ready(status_);
  }
  std::string asked_for;

 private:
  const Status status_;
};

TEST(CallCredentialsTest, their_errors_end_the_call_and_never_look_like_the_servers) {
  Failing missing(Status::not_found("no such key"));
  World world(&missing);
  EXPECT_EQ(world.authorization().substr(0, 8), "INTERNAL") << "gRFC A54";
  EXPECT_TRUE(mentions(world.authorization(), "no such key"));
  Failing unavailable(Status::unavailable("the token server is down"));
  World other(&unavailable);
  EXPECT_EQ(other.authorization(), "UNAVAILABLE: the token server is down");
  EXPECT_EQ(unavailable.asked_for, "https://localhost/test.Who");
}

TEST(CallCredentialsTest, the_service_url_has_no_method_and_no_443) {
  EXPECT_EQ(service_url({"scores.example:443", "/a.B/Get"}), "https://scores.example/a.B");
  EXPECT_EQ(service_url({"scores.example:50051", "/a.B/Get"}), "https://scores.example:50051/a.B");
}

TEST(CallCredentialsTest, a_token_that_cannot_travel_is_refused) {
  EXPECT_EQ(StaticTokenCredentials::create("line\nbreak").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(StaticTokenCredentials::create("").status().code(), StatusCode::kInvalidArgument);
}

// --- Refreshing ---

struct TokenServer {
  int fetches = 0;
  Duration takes{};
  Status error;
  Duration lifetime = 1h;
  bool at_once = false;  // throws before it's a coroutine
  bool throws = false;
  std::string text;  // instead of a good one

  static Task<Result<AccessToken>> fetch(TokenServer& self, Context context) {
    const int number = ++self.fetches;
    Loop& loop = *Loop::current();
    if (self.takes != Duration::zero()) {
      AsyncEvent never(loop);
      const Context until = context.with_deadline(deadline_after(loop.now(), self.takes));
      Task<Status> waiting = [](AsyncEvent& event) -> Task<Status> {
        Status waited = co_await event.wait();
        co_return waited;
      }(never);
      Status waited = co_await in_context(until, std::move(waiting));
      static_cast<void>(waited);
    }
    if (self.throws) throw std::runtime_error("no key");
    if (!self.error.is_ok()) co_return self.error;
    if (!self.text.empty()) co_return AccessToken{self.text};
    co_return AccessToken{"t" + std::to_string(number), self.lifetime};
  }
  RefreshingTokenOptions options() {
    RefreshingTokenOptions options;
    options.fetch = [this](Context context) {
      if (!throws || !at_once) return fetch(*this, std::move(context));
      ++fetches;
      throw std::runtime_error("no key");
    };
    return options;
  }
};

struct RefreshWorld {
  TokenServer tokens;
  std::unique_ptr<RefreshingTokenCredentials> credentials;
  std::unique_ptr<World> world;
  explicit RefreshWorld(TokenServer with = {}) : tokens(std::move(with)) {
    credentials = std::move(*RefreshingTokenCredentials::create(tokens.options()));
    world = std::make_unique<World>(credentials.get());
  }
};

TEST(RefreshingTokenTest, a_token_is_used_until_shortly_before_its_end) {
  RefreshWorld it;
  EXPECT_EQ(it.world->authorization(), "Bearer t1");
  it.world->time.advance(54min);
  EXPECT_EQ(it.world->authorization(), "Bearer t1");
  EXPECT_EQ(it.tokens.fetches, 1);
  it.world->time.advance(2min);
  EXPECT_EQ(it.world->authorization(), "Bearer t1") << "still good: the call doesn't wait for the next";
  it.world->time.settle();
  EXPECT_EQ(it.tokens.fetches, 2);
  EXPECT_EQ(it.world->authorization(), "Bearer t2");
}

TEST(RefreshingTokenTest, calls_that_wait_share_one_fetch) {
  RefreshWorld it({.takes = 3s});
  std::vector<std::unique_ptr<TaskRecord<std::string>>> calls;
  const Context background;
  for (int i = 0; i < 20; ++i) {
    const Loop::Enter enter(it.world->time.loop);
    calls.push_back(std::make_unique<TaskRecord<std::string>>());
    start(ask_who(*it.world->conn, "authorization"), *calls.back(), background);
  }
  it.world->time.advance(2s);
  EXPECT_FALSE(calls.front()->ended());
  it.world->time.advance(2s);
  for (const auto& call : calls) EXPECT_EQ(call->take(), "Bearer t1");
  EXPECT_EQ(it.tokens.fetches, 1);
}

TEST(RefreshingTokenTest, a_call_that_gives_up_leaves_the_fetch_to_the_others) {
  RefreshWorld it({.takes = 3s});
  World& world = *it.world;
  const Context hurried = Context{}.with_clock(world.time.clock).with_timeout(1s);
  Bytes request, response;
  Task<Status> calling =
      world.conn->invoke(hurried, "/test.Who/Ask", message_of(std::as_const(request)), message_of(response), {});
  const Status status = world.time.run(std::move(calling));
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded) << status.to_string();
  EXPECT_TRUE(mentions(status.message(), "access token")) << status.to_string();
  EXPECT_EQ(world.authorization(), "Bearer t1");
  EXPECT_EQ(it.tokens.fetches, 1);
}

TEST(RefreshingTokenTest, an_error_is_the_answer_for_a_while_then_it_is_tried_again) {
  RefreshWorld it({.error = Status::unavailable("down")});
  EXPECT_EQ(it.world->authorization(), "UNAVAILABLE: down");
  EXPECT_EQ(it.world->authorization(), "UNAVAILABLE: down");
  EXPECT_EQ(it.tokens.fetches, 1) << "not a fetch for every call";
  it.tokens.error = {};
  it.world->time.advance(1s);
  EXPECT_EQ(it.world->authorization(), "Bearer t2");
}

TEST(RefreshingTokenTest, a_fetch_that_throws_is_an_error_like_another) {
  for (const bool at_once : {true, false}) {
    RefreshWorld it({.at_once = at_once, .throws = true});
    const std::string expected = "INTERNAL: the token fetcher threw an exception: no key";
    EXPECT_EQ(it.world->authorization(), expected);
    EXPECT_EQ(it.world->authorization(), expected);
    EXPECT_EQ(it.tokens.fetches, 1) << "not a fetch for every call";
    it.tokens.throws = false;
    it.world->time.advance(1s);
    EXPECT_EQ(it.world->authorization(), "Bearer t2");
  }
}

TEST(RefreshingTokenTest, a_fetched_token_that_cannot_travel_is_an_error_like_another) {
  for (const char* bad : {"two\r\nlines", "caf\xc3\xa9"}) {
    TokenServer tokens;
    tokens.text = bad;
    RefreshWorld it(std::move(tokens));
    EXPECT_TRUE(it.world->authorization().starts_with("INTERNAL: the access token that was fetched can't be sent: "))
        << it.world->authorization();
  }
}

TEST(RefreshingTokenTest, a_good_token_outlives_failed_refreshes) {
  RefreshWorld it;
  EXPECT_EQ(it.world->authorization(), "Bearer t1");
  it.tokens.error = Status::unavailable("down");
  it.world->time.advance(56min);
  EXPECT_EQ(it.world->authorization(), "Bearer t1");
  it.world->time.advance(1min);
  EXPECT_EQ(it.world->authorization(), "Bearer t1");
  it.world->time.advance(4min);
  EXPECT_EQ(it.world->authorization(), "UNAVAILABLE: down") << "its end is the end";
}

TEST(RefreshingTokenTest, a_fetch_has_a_time_limit) {
  RefreshWorld it({.takes = 1h});
  it.tokens.error = Status::unavailable("too slow");
  EXPECT_EQ(it.world->authorization().substr(0, 11), "UNAVAILABLE");
}

TEST(RefreshingTokenTest, loops_on_several_threads_share_one_fetch) {
  LoopGroup loops{3};
  TokenServer tokens;
  tokens.takes = 20ms;
  const auto credentials = std::move(*RefreshingTokenCredentials::create(tokens.options()));
  const auto ask = [](CallCredentials& from, Loop& loop) -> Task<std::string> {
    co_await resume_on(loop);
    Task<CallCredentials::Answer> asking = from.metadata({"host", "/a.B/C"});
    CallCredentials::Answer answer = co_await std::move(asking);
    co_return answer ? std::string((*answer)->get("authorization").value_or("")) : answer.error().to_string();
  };
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 30; ++i) {
    Loop& loop = loops.loop(static_cast<size_t>(i) % 3);
    std::promise<std::string> promise;
    answers.push_back(promise.get_future());
    spawn(loop, ask(*credentials, loop),
          [promise = std::move(promise)](std::exception_ptr, std::string text) mutable { promise.set_value(text); });
  }
  for (auto& answer : answers) EXPECT_EQ(answer.get(), "Bearer t1");
  EXPECT_EQ(tokens.fetches, 1);
}

// --- JWT ---

std::string from_base64url(std::string_view text) {
  std::string standard(text);
  for (char& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
  std::string out;
  EXPECT_TRUE(wire::base64_decode(standard, out)) << text;
  return out;
}

struct Jwt {
  std::string header, claims, signature, signed_text;
  explicit Jwt(std::string_view authorization) {
    std::string_view text = authorization.substr(std::string_view("Bearer ").size());
    const size_t first = text.find('.');
    const size_t last = text.rfind('.');
    header = from_base64url(text.substr(0, first));
    claims = from_base64url(text.substr(first + 1, last - first - 1));
    signature = from_base64url(text.substr(last + 1));
    signed_text = text.substr(0, last);
  }
  bool verify(EVP_PKEY* key) const {
    std::unique_ptr<EVP_MD_CTX, OpenSslDelete<EVP_MD_CTX_free>> digest(EVP_MD_CTX_new());
    std::string der = signature;
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
      const auto* raw = reinterpret_cast<const unsigned char*>(signature.data());
      ECDSA_SIG* const pair = ECDSA_SIG_new();
      ECDSA_SIG_set0(pair, BN_bin2bn(raw, 32, nullptr), BN_bin2bn(raw + 32, 32, nullptr));
      unsigned char* out = nullptr;
      const int size = i2d_ECDSA_SIG(pair, &out);
      der.assign(reinterpret_cast<char*>(out), static_cast<size_t>(size));
      OPENSSL_free(out);
      ECDSA_SIG_free(pair);
    }
    EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key);
    return EVP_DigestVerify(digest.get(), reinterpret_cast<const unsigned char*>(der.data()), der.size(),
                            reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size()) == 1;
  }
};

JwtOptions jwt_options(EVP_PKEY& key) {
  JwtOptions options;
  options.issuer = "me@\"example\"";
  options.key_id = "key-1";
  options.private_key = private_key_pem(key);
  options.wall_clock = [] { return std::chrono::system_clock::time_point(1'000'000s); };
  return options;
}

TEST(JwtTest, tokens_say_who_for_whom_and_until_when_and_are_signed) {
  for (const bool rsa : {false, true}) {
    const PrivateKeyPtr key = make_test_key(rsa);
    const auto credentials = std::move(*JwtCredentials::create(jwt_options(*key)));
    World world(credentials.get());
    const std::string authorization = world.authorization();
    ASSERT_TRUE(authorization.starts_with("Bearer ")) << authorization;
    const Jwt jwt(authorization);
    EXPECT_EQ(jwt.header,
              std::string("{\"alg\":\"") + (rsa ? "RS256" : "ES256") + "\",\"typ\":\"JWT\",\"kid\":\"key-1\"}");
    EXPECT_EQ(jwt.claims,
              "{\"iss\":\"me@\\\"example\\\"\",\"sub\":\"me@\\\"example\\\"\",\"aud\":\"https://localhost/test.Who\","
              "\"iat\":1000000,\"exp\":1003600}");
    EXPECT_TRUE(jwt.verify(key.get()));
    EXPECT_FALSE(jwt.verify(make_test_key(rsa).get())) << "by this key and no other";
  }
}

TEST(JwtTest, a_token_is_used_again_for_the_same_service_until_near_its_end) {
  const PrivateKeyPtr key = make_test_key();
  const auto credentials = std::move(*JwtCredentials::create(jwt_options(*key)));
  VirtualLoop time;
  const auto ask = [&](std::string_view method) {
    const Loop::Enter enter(time.loop);
    return *time.run(credentials->metadata({"scores.example", method}));
  };
  const auto first = ask("/a.B/Get");
  EXPECT_EQ(ask("/a.B/Set"), first) << "the same object: nothing was signed or copied";
  EXPECT_NE(ask("/a.C/Get"), first);
  time.advance(53min);
  EXPECT_EQ(ask("/a.B/Get"), first);
  time.advance(2min);
  EXPECT_NE(ask("/a.B/Get"), first);
}

TEST(JwtTest, bad_options_are_refused) {
  const PrivateKeyPtr key = make_test_key();
  const auto refused = [](JwtOptions options) { return JwtCredentials::create(std::move(options)).status().code(); };
  JwtOptions options = jwt_options(*key);
  options.issuer.clear();
  EXPECT_EQ(refused(options), StatusCode::kInvalidArgument);
  options = jwt_options(*key);
  options.private_key = "no key";
  EXPECT_EQ(refused(options), StatusCode::kInvalidArgument);
  options.private_key = private_key_pem(*PrivateKeyPtr(EVP_RSA_gen(1024)));
  EXPECT_EQ(refused(options), StatusCode::kInvalidArgument) << "too short";
  options.private_key = private_key_pem(*PrivateKeyPtr(EVP_EC_gen("P-384")));
  EXPECT_EQ(refused(options), StatusCode::kInvalidArgument) << "ES256 is P-256";
  options = jwt_options(*key);
  options.lifetime = 59s;
  EXPECT_EQ(refused(options), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace gaggle
