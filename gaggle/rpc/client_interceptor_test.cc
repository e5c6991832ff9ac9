// SPDX-License-Identifier: Apache-2.0
//
// Interceptors of unary calls, against a scripted server on virtual time.
#include <gtest/gtest.h>

#include "gaggle/net/sleep.h"
#include "gaggle/rpc/client_interceptor_testing.h"
#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

Task<Status> pass_and_log(UnaryDo& self, Context context, std::string_view method, ConstMessage request,
                          Message response, CallOptions options, UnaryInvoker& next) {
  self.log->push_back(self.name + " in");
  Task<Status> rest = next(std::move(context), method, request, response, options);
  Status status = co_await std::move(rest);
  self.log->push_back(self.name + " out " + std::string(status_code_name(status.code())));
  co_return status;
}

Task<Status> answer_myself(UnaryDo&, Context, std::string_view, ConstMessage, Message response, CallOptions,
                           UnaryInvoker&) {
  *static_cast<Bytes*>(response.object) = Bytes::copy_of("from the interceptor");
  co_return Status::ok();
}

Task<Status> refuse(UnaryDo&, Context, std::string_view, ConstMessage, Message, CallOptions, UnaryInvoker&) {
  co_return Status::permission_denied("not today");
}

Task<Status> again_when_unavailable(UnaryDo&, Context context, std::string_view method, ConstMessage request,
                                    Message response, CallOptions options, UnaryInvoker& next) {
  Status status;
  for (int i = 0; i < 3; ++i) {
    Task<Status> rest = next(context, method, request, response, options);
    status = co_await std::move(rest);
    if (status.code() != StatusCode::kUnavailable) break;
  }
  co_return status;
}

// Changes everything that passes.
Task<Status> replace_everything(UnaryDo& self, Context context, std::string_view method, ConstMessage, Message response,
                                CallOptions options, UnaryInvoker& next) {
  self.seen = options;
  self.seen_method = method;
  Metadata metadata;
  if (options.metadata != nullptr) metadata.append(*options.metadata);
  EXPECT_TRUE(metadata.add("x-added", "by the interceptor"));
  options.metadata = &metadata;
  options.authority = "another.example";
  const Bytes request = Bytes::copy_of("another request");
  Task<Status> rest = next(context, "/test.Service/Other", message_of(request), response, options);
  Status status = co_await std::move(rest);
  EXPECT_TRUE(status.is_ok());
  *static_cast<Bytes*>(response.object) = Bytes::copy_of("another response");
  co_return Status::data_loss("another status");
}

Task<Status> wait_first(UnaryDo&, Context context, std::string_view method, ConstMessage request, Message response,
                        CallOptions options, UnaryInvoker& next) {
  Status slept = co_await sleep_for(*Loop::current(), 10s);
  if (!slept) co_return slept;
  Task<Status> rest = next(std::move(context), method, request, response, options);
  co_return co_await std::move(rest);
}

Task<Status> sends_on_what_came(UnaryDo&, Context context, std::string_view method, ConstMessage request,
                                Message response, CallOptions options, UnaryInvoker& next) {
  Metadata received;
  received.add_received("x", "no ASCII: \xFF");
  options.metadata = &received;
  Task<Status> rest = next(std::move(context), method, request, response, options);
  co_return co_await std::move(rest);
}

TEST(ClientInterceptors, metadata_that_one_adds_unchecked_is_checked_before_it_is_sent) {
  ClientWorld world;
  UnaryDo careless(sends_on_what_came);
  ClientConnOptions options;
  options.unary_interceptors = {&careless};
  world.connect(options);
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  ASSERT_TRUE(call.done());
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_NE(status.message().find("\"x\""), std::string_view::npos) << status.to_string();
  EXPECT_TRUE(world.network.dialled.empty());
}

TEST(ClientInterceptors, the_first_is_outermost) {
  ClientWorld world;
  Texts log;
  UnaryDo first(pass_and_log, "first", &log), second(pass_and_log, "second", &log);
  ClientConnOptions options;
  options.unary_interceptors = {&first, &second};
  world.connect(options);
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
  EXPECT_EQ(call.response.view(), "reply");
  EXPECT_EQ(log, (Texts{"first in", "second in", "second out OK", "first out OK"}));
}

TEST(ClientInterceptors, need_not_call_on) {
  ClientWorld world;
  Texts log;
  UnaryDo answering(answer_myself), refusing(refuse);
  UnaryDo never(pass_and_log, "never", &log);
  ClientConnOptions options;
  options.unary_interceptors = {&answering, &never};
  world.connect(options);
  UnaryRun answered(world, Context{}, "ask");
  ASSERT_TRUE(answered.done());
  EXPECT_TRUE(answered.status().is_ok());
  EXPECT_EQ(answered.response.view(), "from the interceptor");
  options.unary_interceptors = {&refusing};
  world.connect(options);
  UnaryRun refused(world, Context{}, "ask");
  ASSERT_TRUE(refused.done());
  EXPECT_EQ(refused.status().code(), StatusCode::kPermissionDenied);
  world.settle();
  EXPECT_TRUE(world.network.dialled.empty()) << "nothing was connected, nothing was sent";
  EXPECT_TRUE(log.empty());
}

TEST(ClientInterceptors, may_call_on_more_than_once) {
  ClientWorld world;
  UnaryDo retrying(again_when_unavailable);
  ClientConnOptions options;
  options.unary_interceptors = {&retrying};
  world.connect(options);
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().trailers_only(world.request(0), "14");
  world.settle();
  EXPECT_FALSE(call.done());
  ASSERT_EQ(world.server().requests.size(), 2u);
  EXPECT_EQ(world.request(1).messages(), Texts{"ask"});
  world.server().answer(world.request(1), "at last");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
}

TEST(ClientInterceptors, see_and_replace_everything) {
  ClientWorld world;
  UnaryDo replacing(replace_everything);
  Metadata defaults, own;
  ASSERT_TRUE(defaults.add("x-default", "d"));
  ASSERT_TRUE(own.add("x-own", "o"));
  ClientConnOptions options;
  options.unary_interceptors = {&replacing};
  options.call_defaults.metadata = &defaults;
  options.call_defaults.max_receive_bytes = 77;
  options.call_defaults.compressor = "identity";
  world.connect(options);
  UnaryRun call(world, Context{}, "ask", {.wait_for_ready = true, .metadata = &own});
  world.settle();
  EXPECT_EQ(replacing.seen_method, "/test.Service/Unary");
  EXPECT_EQ(replacing.seen.max_receive_bytes, 77u) << "the combined options";
  EXPECT_EQ(replacing.seen.wait_for_ready, true);
  EXPECT_EQ(replacing.seen.compressor, "identity");
  EXPECT_EQ(world.request().header(":path"), "/test.Service/Other");
  EXPECT_EQ(world.request().header(":authority"), "another.example");
  EXPECT_EQ(world.request().header("x-default"), "d");
  EXPECT_EQ(world.request().header("x-own"), "o");
  EXPECT_EQ(world.request().header("x-added"), "by the interceptor");
  EXPECT_EQ(world.request().messages(), Texts{"another request"});
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(call.response.view(), "another response");
}

TEST(ClientInterceptors, may_wait_and_end_with_the_call) {
  ClientWorld world;
  UnaryDo waiting(wait_first);
  ClientConnOptions options;
  options.unary_interceptors = {&waiting};
  world.connect(options);
  UnaryRun call(world, Context{}, "ask");
  UnaryRun given_up(world, Context{}, "ask");
  world.settle();
  EXPECT_TRUE(world.network.dialled.empty()) << "nothing before the interceptor has let it through";
  {
    const Loop::Enter enter(world.time.loop);
    given_up.source.cancel();
  }
  world.settle();
  ASSERT_TRUE(given_up.done());
  EXPECT_EQ(given_up.status().code(), StatusCode::kCancelled) << "what an interceptor awaits ends with the call";
  world.advance(10s);
  ASSERT_EQ(world.server().requests.size(), 1u);
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
}

TEST(ClientInterceptors, any_connection_can_be_wrapped) {
  ClientWorld world;
  world.connect();
  Texts log;
  UnaryDo outer(pass_and_log, "outer", &log), inner(pass_and_log, "inner", &log);
  const auto once = intercept(*world.conn, {.unary = {&inner}});
  const auto twice = intercept(*once, {.unary = {&outer}});
  Bytes request = Bytes::copy_of("ask"), response;
  CountFinish finish(log, "finished ");
  FinishHook* const hooks[] = {&finish};
  const CallOptions options{.on_finish = hooks};
  Running<Status> call(world, twice->invoke({}, "/test.Service/Unary", message_of(std::as_const(request)),
                                            message_of(response), options));
  world.settle();
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.take().is_ok());
  EXPECT_EQ(log, (Texts{"outer in", "inner in", "inner out OK", "outer out OK", "finished OK"}))
      << "hooks run once, outside of everything";
  EXPECT_EQ(&twice->loop(), &world.time.loop);
}

TEST(ClientInterceptors, a_null_pointer_is_no_interceptor) {
  ClientWorld world;
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.unary_interceptors = {nullptr};
  EXPECT_EQ(ClientConn::create(world.loops, "host:1", options).status().code(), StatusCode::kInvalidArgument);
  options.unary_interceptors.clear();
  options.stream_interceptors = {nullptr};
  EXPECT_EQ(ClientConn::create(world.loops, "host:1", options).status().code(), StatusCode::kInvalidArgument);
}

TEST(ClientInterceptors, that_answer_themselves_leave_the_finish_hooks_to_run) {
  ClientWorld world;
  Texts log;
  CountFinish finish(log);
  FinishHook* const hooks[] = {&finish};
  UnaryDo answering(answer_myself);
  ClientConnOptions options;
  options.unary_interceptors = {&answering};
  world.connect(options);
  UnaryRun call(world, Context{}, "ask", {.on_finish = hooks});
  EXPECT_TRUE(call.done());
  EXPECT_EQ(log, Texts{"OK"});
}

}  // namespace
}  // namespace gaggle
