// SPDX-License-Identifier: Apache-2.0
//
// Generated clients over a connection to nowhere: every form of every kind of method.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/use_future.hpp>
#include <thread>

#include "fakes.h"
#include "kinds.gaggle.h"

namespace gaggle::codegen_test {
namespace {

using testing::ElementsAre;

template <class T>
T with_text(const std::string& text) {
  T message;
  message.set_text(text);
  return message;
}

class GeneratedClient : public testing::Test {
 protected:
  GeneratedClient() { conn_.answers = {encoding_of(with_text<Answer>("because"))}; }

  Loop loop_;
  FakeConn conn_{loop_};
  AnswersClient client_{conn_};
  Context context_;
  const Ask ask_ = with_text<Ask>("why");
};

TEST_F(GeneratedClient, calls) {
  Answer answer;
  Status status = run(loop_, client_.Get(context_, ask_, answer, {.wait_for_ready = true}));
  EXPECT_TRUE(status) << status.to_string();
  EXPECT_EQ(answer.text(), "because");
  EXPECT_EQ(conn_.log.method, "/gaggle.codegen_test.Answers/Get");
  EXPECT_EQ(conn_.log.options.wait_for_ready, true);
  EXPECT_THAT(conn_.log.sent, ElementsAre(encoding_of(ask_)));
}

Task<Status> get_in_time(AnswersClientInterface& client, const Context& context, const Ask& ask, Answer& answer) {
  // As the README writes it: context and options made where the call is made.
  co_return co_await client.Get(context.with_timeout(std::chrono::hours{1}), ask, answer, {.wait_for_ready = true});
}

TEST_F(GeneratedClient, keeps_no_reference_to_context_and_options) {
  Answer answer;
  EXPECT_TRUE(run(loop_, get_in_time(client_, context_, ask_, answer)));
  EXPECT_TRUE(conn_.log.context.has_deadline());

  Task<Status> later = client_.Get(context_.with_timeout(std::chrono::hours{1}), ask_, answer);
  EXPECT_TRUE(run(loop_, std::move(later))) << "the temporaries are long gone";
}

// Names that are written in the program: statistics by name stay bounded.
TEST_F(GeneratedClient, says_that_its_methods_are_static) {
  Answer answer;
  const auto says_so = [&] { return std::exchange(conn_.log.options, {}).static_method; };
  EXPECT_TRUE(run(loop_, client_.Get(context_, ask_, answer)));
  EXPECT_TRUE(says_so());
  EXPECT_TRUE(run(loop_, client_.List(context_, ask_)));
  EXPECT_TRUE(says_so());
  EXPECT_TRUE(run(loop_, client_.Talk(context_)));
  EXPECT_TRUE(says_so());
  bool done = false;
  client_.AsyncGet(context_, ask_, answer, {}, [&](Status) { done = true; });
  loop_.run_until([&] { return done; });
  EXPECT_TRUE(says_so());
}

TEST_F(GeneratedClient, calls_raw) {
  const Bytes request = Bytes::copy_of(encoding_of(ask_));
  Bytes response;
  EXPECT_TRUE(run(loop_, client_.GetRaw(context_, request, response)));
  EXPECT_EQ(response.view(), encoding_of(with_text<Answer>("because")));
  EXPECT_THAT(conn_.log.sent, ElementsAre(encoding_of(ask_)));
}

TEST_F(GeneratedClient, calls_back) {
  Answer answer;
  std::optional<Status> status;
  client_.AsyncGet(context_, ask_, answer, {}, [&](Status result) { status = result; });
  EXPECT_FALSE(status.has_value()) << "never from within the call";
  loop_.run_until([&] { return status.has_value(); });
  EXPECT_TRUE(*status);
  EXPECT_EQ(answer.text(), "because");
}

TEST_F(GeneratedClient, gives_a_future) {
  Answer answer;
  std::thread runner([this] { loop_.run(); });
  std::future<Status> future = client_.AsyncGet(context_, ask_, answer, {}, asio::use_future);
  Status status = future.get();
  loop_.stop();
  runner.join();
  EXPECT_TRUE(status) << status.to_string();
  EXPECT_EQ(answer.text(), "because");
}

TEST_F(GeneratedClient, a_cancellation_slot_reaches_the_call) {
  Answer answer;
  asio::cancellation_signal cancel;
  std::optional<Status> status;
  client_.AsyncGet(context_, ask_, answer, {},
                   asio::bind_cancellation_slot(cancel.slot(), [&](Status result) { status = result; }));
  cancel.emit(asio::cancellation_type::terminal);
  loop_.run_until([&] { return status.has_value(); });
  EXPECT_TRUE(conn_.log.context.cancelled()) << "the context that the connection got is the one that the slot ends";
}

TEST_F(GeneratedClient, blocks_a_thread_that_has_no_loop) {
  Answer answer;
  Status status;
  bool done = false;
  std::thread caller([&] {
    status = client_.BlockingGet(context_, ask_, answer);
    loop_.post([&done] { done = true; });
  });
  loop_.run_until([&done] { return done; });
  caller.join();
  EXPECT_TRUE(status) << status.to_string();
  EXPECT_EQ(answer.text(), "because");
}

TEST_F(GeneratedClient, refuses_to_block_a_loop) {
  Answer answer;
  std::optional<Status> status;
  loop_.post([&] { status = client_.BlockingGet(context_, ask_, answer); });
  loop_.run_until([&] { return status.has_value(); });
  EXPECT_EQ(status->code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(conn_.log.sent, testing::IsEmpty());
}

TEST_F(GeneratedClient, lists) {
  conn_.answers.push_back(encoding_of(with_text<Answer>("so")));
  auto list = run(loop_, client_.List(context_, ask_));
  ASSERT_TRUE(list);
  EXPECT_THAT(conn_.log.sent, ElementsAre(encoding_of(ask_)));
  EXPECT_TRUE(conn_.log.half_closed) << "there is nothing more to ask";

  Answer answer;
  EXPECT_TRUE(*run(loop_, list->recv(answer)));
  EXPECT_EQ(answer.text(), "because");
  auto second = run(loop_, list->recv());
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->text(), "so");
  auto end = run(loop_, list->recv());
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->has_value());
}

TEST_F(GeneratedClient, collects) {
  auto collect = run(loop_, client_.Collect(context_));
  ASSERT_TRUE(collect);
  EXPECT_TRUE(*run(loop_, collect->send(ask_)));
  EXPECT_TRUE(*run(loop_, collect->send(ask_)));
  EXPECT_FALSE(conn_.log.half_closed);
  Answer answer;
  EXPECT_TRUE(run(loop_, collect->close_and_recv(answer)));
  EXPECT_TRUE(conn_.log.half_closed);
  EXPECT_EQ(answer.text(), "because");
}

TEST_F(GeneratedClient, talks) {
  auto talk = run(loop_, client_.Talk(context_));
  ASSERT_TRUE(talk);
  EXPECT_EQ(conn_.log.method, "/gaggle.codegen_test.Answers/Talk");
  EXPECT_TRUE(conn_.log.desc->client_streams && conn_.log.desc->server_streams);
  EXPECT_TRUE(*run(loop_, talk->send(ask_)));
  auto answer = run(loop_, talk->recv());
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->text(), "because");
  EXPECT_TRUE(run(loop_, talk->close_send()));
}

TEST_F(GeneratedClient, streams_raw) {
  auto talk = run(loop_, client_.TalkRaw(context_));
  ASSERT_TRUE(talk);
  EXPECT_EQ(conn_.log.desc->request_type, message_type<Bytes>());
  const Bytes question = Bytes::copy_of("?");
  EXPECT_TRUE(*run(loop_, talk->send(question)));
  EXPECT_THAT(conn_.log.sent, ElementsAre("?"));

  auto list = run(loop_, client_.ListRaw(context_, question));
  ASSERT_TRUE(list);
  auto answer = run(loop_, list->recv());
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->view(), encoding_of(with_text<Answer>("because")));
}

TEST_F(GeneratedClient, a_call_that_cannot_be_opened_is_its_status) {
  conn_.status = Status::unavailable("nobody there");
  Answer answer;
  EXPECT_EQ(run(loop_, client_.Get(context_, ask_, answer)), conn_.status);
  EXPECT_EQ(run(loop_, client_.List(context_, ask_)).error(), conn_.status);
  EXPECT_EQ(run(loop_, client_.Collect(context_)).error(), conn_.status);
  EXPECT_EQ(run(loop_, client_.Talk(context_)).error(), conn_.status);
}

// What users put in a client's place in their own tests.
class FakeAnswers final : public AnswersClientInterface {
 public:
  Task<Status> Get(const Context&, const Ask&, Answer& response, const CallOptions&) override {
    response.set_text("fake");
    return Task<Status>::ready(Status::ok());
  }
  Task<Result<ServerStreamingClient<Answer>>> List(const Context&, const Ask&, const CallOptions&) override {
    return Task<Result<ServerStreamingClient<Answer>>>::ready(Status::unimplemented("fake"));
  }
  Task<Result<ClientStreamingClient<Ask, Answer>>> Collect(const Context&, const CallOptions&) override {
    return Task<Result<ClientStreamingClient<Ask, Answer>>>::ready(Status::unimplemented("fake"));
  }
  Task<Result<BidiStreamingClient<Ask, Answer>>> Talk(const Context&, const CallOptions&) override {
    return Task<Result<BidiStreamingClient<Ask, Answer>>>::ready(Status::unimplemented("fake"));
  }
  Task<Status> GetNested(const Context&, const Ask::Part&, imported::Outer::Inner&, const CallOptions&) override {
    return Task<Status>::ready(Status::ok());
  }
  Task<Status> Ping(const Context&, const google::protobuf::Empty&, google::protobuf::Empty&,
                    const CallOptions&) override {
    return Task<Status>::ready(Status::ok());
  }
};

TEST_F(GeneratedClient, can_be_faked) {
  FakeAnswers fake;
  Answer answer;
  EXPECT_TRUE(run(loop_, get_in_time(fake, context_, ask_, answer)));
  EXPECT_EQ(answer.text(), "fake");
}

}  // namespace
}  // namespace gaggle::codegen_test
