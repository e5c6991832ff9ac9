// SPDX-License-Identifier: Apache-2.0
//
// What credentials say is asked for each attempt at a call: when, how often, and what becomes of the call
// while they take their time.
#include "gaggle/rpc/client_tokens.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "gaggle/net/event.h"
#include "gaggle/rpc/client_stream_testing.h"
#include "gaggle/rpc/credentials/token_credentials.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRetries =
    R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "0.1s",
        "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";
constexpr std::string_view kHedges =
    R"({"methodConfig": [{"name": [{}], "hedgingPolicy": {"maxAttempts": 3, "hedgingDelay": "0.1s"}}]})";

std::shared_ptr<const Metadata> token(int number) {
  auto metadata = std::make_shared<Metadata>();
  EXPECT_TRUE(metadata->add("authorization", "token " + std::to_string(number)));
  return metadata;
}

Task<Status> wait_for(AsyncEvent& event) {
  Status waited = co_await event.wait();
  co_return waited;
}

// Another token each time; from the `slow_from`th on, only when `may_answer` is set.
class Numbered final : public CallCredentials {
 public:
  explicit Numbered(Loop& loop) : may_answer(loop) {}
  Task<Answer> metadata(CallCredentialsRequest) override {
    ++asked;
    if (asked == throws_at) throw std::runtime_error("no token today");
    if (gives != nullptr) return Task<Answer>::ready(gives);
    if (asked == fails_at) return Task<Answer>::ready(failure);
    if (asked < slow_from) return Task<Answer>::ready(token(asked));
    return answer_later(*this, asked);
  }
  bool requires_privacy() const noexcept override { return false; }

  AsyncEvent may_answer;
  int asked = 0;
  int slow_from = 1000;
  int fails_at = 0;
  int throws_at = 0;
  bool deaf = false;  // to cancellation
  std::shared_ptr<const Metadata> gives;
  Status failure;
  int waiting = 0;

 private:
  static Task<Answer> answer_later(Numbered& self, int number) {
    ++self.waiting;
    const Context forever;
    const Context& ours = co_await current_context();
    Task<Status> wait = wait_for(self.may_answer);
    Status waited = co_await in_context(self.deaf ? forever : ours, std::move(wait));
    --self.waiting;
    if (!waited) co_return waited;
    co_return token(number);
  }
};

template <class World>
struct TokenWorld : World {
  std::unique_ptr<Numbered> credentials = std::make_unique<Numbered>(this->time.loop);

  explicit TokenWorld(std::string_view config = kRetries) { begin(config); }
  ~TokenWorld() { this->conn.reset(); }
  void begin(std::string_view config) {
    ClientConnOptions options{.call_credentials = credentials.get()};
    options.default_service_config = config;
    this->connect(std::move(options));
  }
  std::string token_of(size_t index) { return this->request(index).header("authorization"); }
  void fail(size_t index) {
    this->server().trailers_only(this->request(index), "14");
    this->settle();
  }
};
using World = TokenWorld<ClientWorld>;
using Streams = TokenWorld<StreamWorld>;

// --- Which attempt has which ---

TEST(ClientTokensTest, a_retry_has_a_token_of_its_own) {
  World world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  EXPECT_EQ(world.token_of(0), "token 1");
  world.fail(0);
  EXPECT_EQ(world.credentials->asked, 1) << "not before it's made";
  world.advance(120ms);
  EXPECT_EQ(world.token_of(1), "token 2");
  world.server().answer(world.request(1), "reply");
  world.settle();
  EXPECT_TRUE(call.status().is_ok());
  UnaryRun next(world, Context{}, "ask");
  world.settle();
  EXPECT_EQ(world.token_of(2), "token 3") << "and so has the next call";
}

TEST(ClientTokensTest, an_access_token_that_ended_between_two_attempts_is_a_new_one_in_the_second) {
  int fetched = 0;
  RefreshingTokenOptions refreshing;
  refreshing.fetch = [&fetched](Context) {
    return Task<Result<AccessToken>>::ready(AccessToken{"t" + std::to_string(++fetched), 80ms});
  };
  refreshing.requires_privacy = false;
  const auto credentials = std::move(*RefreshingTokenCredentials::create(std::move(refreshing)));
  ClientWorld world;
  ClientConnOptions options;
  options.default_service_config = kRetries;
  world.connect(std::move(options));
  UnaryRun call(world, Context{}, "ask", {.credentials = credentials.get()});
  world.settle();
  EXPECT_EQ(world.request(0).header("authorization"), "Bearer t1");
  world.server().trailers_only(world.request(0), "14");
  world.advance(120ms);
  EXPECT_EQ(world.request(1).header("authorization"), "Bearer t2");
}

TEST(ClientTokensTest, what_the_server_never_saw_goes_out_again_with_another) {
  World world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().reset(world.request(0), http2::ErrorCode::kRefusedStream);
  world.settle();
  EXPECT_EQ(world.token_of(1), "token 2") << "the server may be another one by then";
  EXPECT_EQ(world.conn->counters().transparent_retries, 1u);
}

TEST(ClientTokensTest, hedges_have_one_each) {
  World world(kHedges);
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.advance(100ms);
  world.advance(100ms);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(world.token_of(i), "token " + std::to_string(i + 1));
}

TEST(ClientTokensTest, a_stream_that_is_replayed_has_a_new_one) {
  Streams world;
  world.open(kBidiStream);
  ASSERT_TRUE(world.send("one"));
  EXPECT_EQ(world.token_of(0), "token 1");
  world.fail(0);
  world.advance(120ms);
  EXPECT_EQ(world.token_of(1), "token 2");
  EXPECT_EQ(world.request(1).messages(), std::vector<std::string>{"one"});
}

TEST(ClientTokensTest, nobody_is_asked_for_a_call_without_a_connection) {
  World world;
  world.network.mode = ScriptedNetwork::Mode::kSilent;
  UnaryRun call(world, Context{}, "ask", {.wait_for_ready = true});
  world.advance(1h);
  EXPECT_EQ(world.credentials->asked, 0) << "the token would be old when there is one";
  UnaryRun fails(world, world.in(1s), "ask");
  world.advance(1s);
  EXPECT_EQ(world.credentials->asked, 0);
}

// --- While they take their time ---

TEST(ClientTokensTest, a_deadline_ends_the_call_while_a_retry_waits_for_its_token) {
  World world;
  world.credentials->slow_from = 2;
  UnaryRun call(world, world.in(1s), "ask");
  world.settle();
  world.fail(0);
  world.advance(120ms);
  EXPECT_EQ(world.credentials->waiting, 1);
  EXPECT_FALSE(call.done());
  world.advance(900ms);
  ASSERT_TRUE(call.done());
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_NE(status.message().find("access token"), std::string_view::npos) << status.to_string();
  EXPECT_EQ(world.credentials->waiting, 0) << "whoever was asked has stopped";
  EXPECT_EQ(world.server().requests.size(), 1u);
}

TEST(ClientTokensTest, a_call_is_not_over_while_its_credentials_still_look_at_it) {
  World world;
  world.credentials->slow_from = 1;
  world.credentials->deaf = true;
  UnaryRun call(world, world.in(1s), "ask");
  world.advance(2s);
  EXPECT_EQ(world.credentials->waiting, 1);
  EXPECT_FALSE(call.done()) << "its caller may destroy the credentials as soon as it is";
  EXPECT_EQ(world.conn->counters().calls_now, 0u) << "though nothing will come of it";
  world.credentials->may_answer.set();
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(world.server().requests.empty());
}

TEST(ClientTokensTest, an_answer_that_came_late_is_used) {
  World world;
  world.credentials->slow_from = 1;
  UnaryRun call(world, Context{}, "ask");
  world.advance(10s);
  EXPECT_TRUE(world.server().requests.empty());
  world.credentials->may_answer.set();
  world.settle();
  EXPECT_EQ(world.token_of(0), "token 1");
}

TEST(ClientTokensTest, a_connection_lost_meanwhile_is_no_loss) {
  World world;
  world.credentials->slow_from = 1;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().close();
  world.advance(2s);
  EXPECT_FALSE(call.done());
  world.credentials->may_answer.set();
  world.advance(2s);
  ASSERT_EQ(world.network.servers.size(), 2u);
  EXPECT_EQ(world.token_of(0), "token 2") << "asked again for the new connection";
}

TEST(ClientTokensTest, a_hedge_that_waits_for_a_token_is_given_up_with_the_others) {
  World world(kHedges);
  world.credentials->slow_from = 2;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.advance(100ms);
  EXPECT_EQ(world.credentials->waiting, 1);
  world.server().answer(world.request(0), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
  EXPECT_EQ(world.credentials->waiting, 0);
}

TEST(ClientTokensTest, cancelling_and_closing_reach_those_who_are_asked) {
  for (const bool closing : {false, true}) {
    World world;
    world.credentials->slow_from = 1;
    CancelSource source;
    UnaryRun call(world, source.context(), "ask");
    world.settle();
    EXPECT_EQ(world.credentials->waiting, 1);
    if (closing) {
      world.conn.reset();
    } else {
      source.cancel();
    }
    world.settle();
    EXPECT_EQ(world.credentials->waiting, 0);
    ASSERT_TRUE(call.done());
    EXPECT_EQ(call.status().code(), StatusCode::kCancelled);
  }
}

TEST(ClientTokensTest, a_stream_may_be_let_go_while_an_attempt_waits_for_a_token) {
  for (const bool deaf : {false, true}) {
    Streams world;
    world.credentials->slow_from = 2;
    world.credentials->deaf = deaf;
    world.open(kBidiStream);
    world.fail(0);
    world.advance(120ms);
    EXPECT_EQ(world.credentials->waiting, 1);
    world.stream.reset();
    world.settle();
    EXPECT_EQ(world.credentials->waiting, deaf ? 1 : 0);
    world.credentials->may_answer.set();
    world.settle();
    EXPECT_EQ(world.credentials->waiting, 0) << "sanitizers see what is left of the stream";
    EXPECT_EQ(world.conn->counters().calls_now, 0u);
  }
}

TEST(ClientTokensTest, a_stream_that_waits_for_its_first_token_opens_with_it_or_ends_with_its_deadline) {
  Streams world;
  world.credentials->slow_from = 1;
  Running<Result<std::unique_ptr<ClientStream>>> opening(
      world, world.conn->new_stream(world.in(1s), kBidiStream, "/test.Service/Stream", {}));
  world.advance(2s);
  ASSERT_TRUE(opening.done());
  EXPECT_EQ(opening.take().status().code(), StatusCode::kDeadlineExceeded);
}

// --- When they fail ---

TEST(ClientTokensTest, their_error_is_retried_if_it_says_unavailable) {
  World world;
  world.credentials->fails_at = 1;
  world.credentials->failure = Status::unavailable("the token server is down");
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  EXPECT_FALSE(call.done());
  world.advance(120ms);
  EXPECT_EQ(world.token_of(0), "token 2");
}

TEST(ClientTokensTest, other_errors_end_the_call_with_a_code_that_is_no_servers) {
  World world;
  world.credentials->fails_at = 2;
  world.credentials->failure = Status::not_found("no such key");
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.fail(0);
  world.advance(120ms);
  ASSERT_TRUE(call.done());
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kInternal) << "gRFC A54, of a second attempt too";
  EXPECT_NE(status.message().find("no such key"), std::string_view::npos);
}

TEST(ClientTokensTest, metadata_that_cant_travel_ends_the_call) {
  World world;
  auto bad = std::make_shared<Metadata>();
  bad->add_received("authorization", "two\r\nlines: of it");
  world.credentials->gives = bad;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  ASSERT_TRUE(call.done());
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_NE(status.message().find("\"authorization\""), std::string_view::npos) << status.to_string();
  EXPECT_TRUE(world.server().requests.empty());
}

TEST(ClientTokensTest, an_exception_ends_the_call) {
  World world;
  world.credentials->throws_at = 1;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  ASSERT_TRUE(call.done());
  const Status status = call.status();
  EXPECT_EQ(status.to_string(), "INTERNAL: the credentials threw an exception: no token today");
}

}  // namespace
}  // namespace gaggle
