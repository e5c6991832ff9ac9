// SPDX-License-Identifier: Apache-2.0
//
// Generated servers: what their descriptors say and what their handlers do, against fakes of the
// runtime. FakeUnaryCall and FakeServerStream are in fakes.h.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.h"
#include "keywords.gaggle.h"
#include "kinds.gaggle.h"
#include "no_package.gaggle.h"

namespace gaggle::codegen_test {
namespace {

Ask ask(const std::string& text) {
  Ask result;
  result.set_text(text);
  return result;
}
Answer answer(const std::string& text) {
  Answer result;
  result.set_text(text);
  return result;
}

// Implements three of the four streaming shapes and leaves the rest to the base.
class Echo final : public UnimplementedAnswersServer {
 public:
  Task<Status> Get(ServerContext&, const Ask& request, Answer& response) override {
    response.set_text("re: " + request.text());
    return Task<Status>::ready(Status::ok());
  }
  Task<Status> List(ServerContext&, const Ask& request, ServerStreamingServer<Answer>& stream) override {
    for (int i = 0; i < 2; ++i) {
      const Answer next = answer(request.text() + std::to_string(i));
      Status sent = co_await stream.send(next);
      if (!sent) co_return sent;
    }
    co_return Status::ok();
  }
  Task<Status> Collect(ServerContext&, ClientStreamingServer<Ask>& stream, Answer& response) override {
    for (;;) {
      Result<std::optional<Ask>> next = co_await stream.recv();
      if (!next) co_return next.error();
      if (!*next) break;
      response.set_text(response.text() + (*next)->text());
    }
    if (response.text().empty()) co_return Status::invalid_argument("nothing to collect");
    co_return Status::ok();
  }
  Task<Status> Talk(ServerContext&, BidiStreamingServer<Ask, Answer>& stream) override {
    Ask question;
    for (;;) {
      Result<bool> more = co_await stream.recv(question);
      if (!more) co_return more.error();
      if (!*more) co_return Status::ok();
      const Answer next = answer("re: " + question.text());
      Status sent = co_await stream.send(next);
      if (!sent) co_return sent;
    }
  }
};

class GeneratedServer : public testing::Test {
 protected:
  GeneratedServer() { EXPECT_TRUE(RegisterAnswersServer(recorder_, echo_)); }

  Task<Status> call(FakeUnaryCall& call, std::string_view method, UnaryServerInterceptor* interceptor = nullptr) {
    return recorder_.method(method)->handler(recorder_.services[0].implementation, context_, call, interceptor);
  }
  Status serve(std::string_view method) {
    return run(loop_, recorder_.stream(method)->handler(recorder_.services[0].implementation, stream_));
  }

  Loop loop_;
  FakeServerContext context_{loop_};
  FakeServerStream stream_{loop_};
  Echo echo_;
  Recorder recorder_;
};

TEST_F(GeneratedServer, describes_itself) {
  const ServiceDesc& desc = Answers_ServiceDesc;
  EXPECT_EQ(desc.service_name, "gaggle.codegen_test.Answers");
  EXPECT_EQ(desc.handler_type, "gaggle::codegen_test::AnswersServer");
  EXPECT_EQ(desc.metadata, "kinds.proto") << "reflection finds the file by this name";
  ASSERT_EQ(desc.methods.size(), 3u);
  ASSERT_EQ(desc.streams.size(), 3u);
  EXPECT_EQ(desc.methods[1].name, "GetNested");
  EXPECT_EQ(desc.methods[1].request_type, message_type<Ask::Part>());
  EXPECT_EQ(desc.methods[1].response_type, message_type<imported::Outer::Inner>());
  EXPECT_EQ(Answers_Get_FullMethodName, "/gaggle.codegen_test.Answers/Get");

  auto shape = [&](size_t i) { return std::pair{desc.streams[i].client_streams, desc.streams[i].server_streams}; };
  EXPECT_EQ(shape(0), std::pair(false, true)) << "List";
  EXPECT_EQ(shape(1), std::pair(true, false)) << "Collect";
  EXPECT_EQ(shape(2), std::pair(true, true)) << "Talk";
}

TEST_F(GeneratedServer, a_service_without_methods_is_one_all_the_same) {
  EXPECT_EQ(Nothing_ServiceDesc.service_name, "gaggle.codegen_test.Nothing");
  EXPECT_TRUE(Nothing_ServiceDesc.methods.empty());
  EXPECT_TRUE(Nothing_ServiceDesc.streams.empty());
  EXPECT_EQ(NoPackage_ServiceDesc.service_name, "NoPackage") << "no package, no dot";
  EXPECT_EQ(NoPackage_Get_FullMethodName, "/NoPackage/Get");
}

TEST_F(GeneratedServer, escaped_names_stay_in_the_code) {
  namespace keywords = ::codegen_test::gaggle::keywords;
  EXPECT_EQ(keywords::class_delete_FullMethodName, "/codegen_test.gaggle.keywords.class/delete");
  EXPECT_EQ(keywords::class_ServiceDesc.methods[0].name, "delete") << "the wire knows nothing of C++";
  EXPECT_EQ(keywords::class_ServiceDesc.handler_type, "codegen_test::gaggle::keywords::classServer");
}

TEST_F(GeneratedServer, an_implementation_of_another_service_does_not_fit) {
  Recorder recorder;
  Status refused = recorder.register_service(Second_ServiceDesc, echo_);
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(), "the implementation is no gaggle::codegen_test::SecondServer");
}

TEST_F(GeneratedServer, a_unary_call_is_decoded_and_answered) {
  FakeUnaryCall unary(*recorder_.method("Get"), encoding_of(ask("why")));
  EXPECT_TRUE(run(loop_, call(unary, "Get")));
  EXPECT_EQ(static_cast<Answer*>(unary.response().object)->text(), "re: why");
}

TEST_F(GeneratedServer, puts_no_frame_around_a_unary_method) {
  FakeUnaryCall unary(*recorder_.method("Get"), encoding_of(ask("why")));
  EXPECT_TRUE(call(unary, "Get").is_ready()) << "the method's task was ready; a coroutine around it wouldn't be";
}

TEST_F(GeneratedServer, an_undecodable_request_never_reaches_the_method) {
  FakeUnaryCall unary(*recorder_.method("Get"), "\x0A\x7F");
  Status status = run(loop_, call(unary, "Get"));
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_EQ(static_cast<Answer*>(unary.response().object)->text(), "");
}

TEST_F(GeneratedServer, a_method_that_nobody_wrote_says_so) {
  FakeUnaryCall unary(*recorder_.method("GetNested"), "");
  Status status = run(loop_, call(unary, "GetNested"));
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(), "method GetNested not implemented");
}

// Answers some questions itself, and changes others on their way.
class Censor final : public UnaryServerInterceptor {
 public:
  Task<Status> intercept(ServerContext& context, ConstMessage request, Message response, const UnaryServerInfo& info,
                         UnaryHandler& next) override {
    seen = info.full_method;
    const auto& question = *static_cast<const Ask*>(request.object);
    if (question.text() == "secret") co_return Status::permission_denied("no");
    Ask changed = question;
    changed.set_text(question.text() + "?");
    Task<Status> rest = next(context, wrong_type ? request : message_of(std::as_const(changed)),
                             wrong_type ? Message{message_type<Ask>(), response.object} : response);
    co_return co_await std::move(rest);
  }
  std::string seen;
  bool wrong_type = false;
};

TEST_F(GeneratedServer, an_interceptor_stands_before_the_method) {
  Censor censor;
  FakeUnaryCall unary(*recorder_.method("Get"), encoding_of(ask("why")));
  EXPECT_TRUE(run(loop_, call(unary, "Get", &censor)));
  EXPECT_EQ(censor.seen, "/fake/Method");
  EXPECT_EQ(static_cast<Answer*>(unary.response().object)->text(), "re: why?");

  FakeUnaryCall denied(*recorder_.method("Get"), encoding_of(ask("secret")));
  EXPECT_EQ(run(loop_, call(denied, "Get", &censor)).code(), StatusCode::kPermissionDenied);
}

TEST_F(GeneratedServer, an_interceptor_that_passes_another_type_is_stopped) {
  Censor censor;
  censor.wrong_type = true;
  FakeUnaryCall unary(*recorder_.method("Get"), encoding_of(ask("why")));
  EXPECT_EQ(run(loop_, call(unary, "Get", &censor)).code(), StatusCode::kInternal)
      << "the method would read an Answer where an Ask is";
}

TEST_F(GeneratedServer, streams_many_answers_to_one_question) {
  stream_.incoming = {encoding_of(ask("n"))};
  EXPECT_TRUE(serve("List"));
  EXPECT_THAT(stream_.sent, testing::ElementsAre(encoding_of(answer("n0")), encoding_of(answer("n1"))));
}

TEST_F(GeneratedServer, one_question_is_neither_none_nor_two) {
  Status none = serve("List");
  EXPECT_EQ(none.code(), StatusCode::kUnimplemented) << "gRPC's code for a wrong number of messages";
  stream_.incoming = {encoding_of(ask("a")), encoding_of(ask("b"))};
  EXPECT_EQ(serve("List").code(), StatusCode::kUnimplemented);
  EXPECT_THAT(stream_.sent, testing::IsEmpty()) << "the method didn't run";
}

TEST_F(GeneratedServer, collects_many_questions_into_one_answer) {
  stream_.incoming = {encoding_of(ask("a")), encoding_of(ask("b")), encoding_of(ask("c"))};
  EXPECT_TRUE(serve("Collect"));
  EXPECT_THAT(stream_.sent, testing::ElementsAre(encoding_of(answer("abc"))));
}

TEST_F(GeneratedServer, sends_no_answer_with_an_error) {
  EXPECT_EQ(serve("Collect").code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(stream_.sent, testing::IsEmpty());
}

TEST_F(GeneratedServer, talks) {
  stream_.incoming = {encoding_of(ask("a")), encoding_of(ask("b"))};
  EXPECT_TRUE(serve("Talk"));
  EXPECT_THAT(stream_.sent, testing::ElementsAre(encoding_of(answer("re: a")), encoding_of(answer("re: b"))));
}

// The raw form: encodings in, encodings out.
class RawEcho final : public UnimplementedAnswersRawServer {
 public:
  Task<Status> Get(ServerContext&, const Bytes& request, Bytes& response) override {
    response = request;  // shares, copies nothing
    return Task<Status>::ready(Status::ok());
  }
  Task<Status> Talk(ServerContext&, BidiStreamingServer<Bytes, Bytes>& stream) override {
    Bytes message;
    for (;;) {
      Result<bool> more = co_await stream.recv(message);
      if (!more) co_return more.error();
      if (!*more) co_return Status::ok();
      Status sent = co_await stream.send(message);
      if (!sent) co_return sent;
    }
  }
};

TEST_F(GeneratedServer, serves_a_service_raw) {
  RawEcho raw;
  Recorder recorder;
  ASSERT_TRUE(RegisterAnswersRawServer(recorder, raw));
  const ServiceDesc& desc = *recorder.services[0].desc;
  EXPECT_EQ(desc.service_name, Answers_ServiceDesc.service_name) << "the client can't tell";
  EXPECT_EQ(desc.methods[0].request_type, message_type<Bytes>());

  FakeUnaryCall unary(desc.methods[0], "not even protobuf");
  Status status = run(loop_, desc.methods[0].handler(recorder.services[0].implementation, context_, unary, nullptr));
  EXPECT_TRUE(status);
  EXPECT_EQ(encoded(unary.response()), "not even protobuf");
  EXPECT_EQ(static_cast<Bytes*>(unary.response().object)->data(), static_cast<Bytes*>(unary.request().object)->data());

  stream_.incoming = {"a", "b"};
  EXPECT_TRUE(run(loop_, recorder.stream("Talk")->handler(recorder.services[0].implementation, stream_)));
  EXPECT_THAT(stream_.sent, testing::ElementsAre("a", "b"));
}

// What a program writes that has no proto at all.
class ByHand final : public Service {
 public:
  Task<Status> shout(ServerContext&, const Bytes& request, Bytes& response) {
    response = Bytes::take(std::string{request.view()} + "!");
    return Task<Status>::ready(Status::ok());
  }
};

TEST_F(GeneratedServer, a_descriptor_can_be_written_by_hand) {
  const MethodDesc methods[] = {{
      .name = "Shout",
      .request_type = message_type<Bytes>(),
      .response_type = message_type<Bytes>(),
      .handler =
          [](void* implementation, ServerContext& context, UnaryServerCall& call, UnaryServerInterceptor*) {
            if (Status decoded = call.decode(); !decoded) return Task<Status>::ready(decoded);
            return static_cast<ByHand*>(implementation)
                ->shout(context, *static_cast<const Bytes*>(call.request().object),
                        *static_cast<Bytes*>(call.response().object));
          },
  }};
  const ServiceDesc desc = {
      .service_name = "by.Hand",
      .handler_type = "ByHand",
      .fit = [](Service& service) -> void* { return dynamic_cast<ByHand*>(&service); },
      .methods = methods,
  };
  ByHand by_hand;
  Recorder recorder;
  ASSERT_TRUE(recorder.register_service(desc, by_hand));
  FakeUnaryCall unary(methods[0], "hello");
  EXPECT_TRUE(run(loop_, methods[0].handler(recorder.services[0].implementation, context_, unary, nullptr)));
  EXPECT_EQ(encoded(unary.response()), "hello!");
  EXPECT_FALSE(recorder.register_service(desc, echo_)) << "Echo is no ByHand";
}

}  // namespace
}  // namespace gaggle::codegen_test
