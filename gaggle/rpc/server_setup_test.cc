// SPDX-License-Identifier: Apache-2.0
//
// Setting a server up: options, services, interceptors, addresses.
#include <gtest/gtest.h>

#include "gaggle/rpc/server_methods.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

class OtherService : public Service {};

Task<Status> no_unary(void*, ServerContext&, UnaryServerCall&, UnaryServerInterceptor*) {
  return Task<Status>::ready(Status::ok());
}
Task<Status> no_stream(void*, ServerStream&) { return Task<Status>::ready(Status::ok()); }

// A descriptor that is right, to be made wrong.
struct Described {
  MethodDesc method{
      .name = "M", .request_type = message_type<Text>(), .response_type = message_type<Text>(), .handler = no_unary};
  StreamDesc stream{.name = "S", .handler = no_stream, .server_streams = true};
  ServiceDesc desc{.service_name = "a.Service", .handler_type = "OtherService", .fit = [](Service& service) {
                     return static_cast<void*>(dynamic_cast<OtherService*>(&service));
                   }};
  Status add() {
    desc.methods = {&method, 1};
    desc.streams = {&stream, 1};
    MethodTable table;
    OtherService service;
    return table.add(desc, service);
  }
};

TEST(ServerSetup, a_good_descriptor_is_accepted) { EXPECT_TRUE(Described().add().is_ok()); }

TEST(ServerSetup, malformed_descriptors_are_refused_with_a_reason) {
  const auto refused = [](auto&& spoil) {
    Described described;
    spoil(described);
    const Status status = described.add();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.to_string();
    EXPECT_GT(status.message().size(), 20u) << "says which service and what";
  };
  refused([](Described& d) { d.desc.service_name = ""; });
  refused([](Described& d) { d.desc.service_name = "a b"; });
  refused([](Described& d) {
    d.desc.service_name = "a/b";
    d.desc.methods = {};
    d.desc.streams = {};
  });
  refused([](Described& d) { d.desc.fit = nullptr; });
  refused([](Described& d) { d.method.name = ""; });
  refused([](Described& d) { d.method.name = "a/b"; });
  refused([](Described& d) { d.method.handler = nullptr; });
  refused([](Described& d) { d.method.request_type = nullptr; });
  refused([](Described& d) { d.stream.name = "M"; });
  refused([](Described& d) { d.stream.handler = nullptr; });
  refused([](Described& d) { d.stream.server_streams = false; });
}

TEST(ServerSetup, an_implementation_that_does_not_fit_is_refused) {
  LoopGroup loops(1);
  auto server = Server::create(loops);
  OtherService wrong;
  const Status status = (*server)->register_service(TestService::desc(), wrong);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("TestService"), std::string_view::npos) << "names the type that is needed";
}

TEST(ServerSetup, a_service_is_registered_once_and_before_the_start) {
  LoopGroup loops(1);
  TestService service;
  auto server = Server::create(loops);
  ASSERT_TRUE((*server)->register_service(TestService::desc(), service).is_ok());
  EXPECT_EQ((*server)->register_service(TestService::desc(), service).code(), StatusCode::kAlreadyExists);
  ASSERT_TRUE((*server)->listen("127.0.0.1:0").is_ok());
  Described described;
  OtherService other;
  EXPECT_EQ((*server)->register_service(described.desc, other).code(), StatusCode::kFailedPrecondition);
}

TEST(ServerSetup, a_handler_sees_what_its_server_has) {
  ServerWorld world;
  std::vector<std::string> names;
  world.service.unary = [](TestService&, ServerContext& context, const Text&, Text& response) {
    for (const ServiceDesc* desc : context.services()) response.value += std::string(desc->service_name) + ";";
    return Task<Status>::ready(Status::ok());
  };
  ClientCall& call = world.finish(world.client().call("Unary", "which?"));
  EXPECT_EQ(call.messages().at(0), "test.Service;");
}

TEST(ServerSetup, a_registrar_need_not_be_a_server) {
  class Recorder final : public ServiceRegistrar {
   public:
    Status register_service(const ServiceDesc& desc, Service&) override {
      name = desc.service_name;
      return Status::ok();
    }
    std::string name;
  };
  Recorder recorder;
  TestService service;
  ServiceRegistrar& registrar = recorder;
  EXPECT_TRUE(registrar.register_service(TestService::desc(), service).is_ok());
  EXPECT_EQ(recorder.name, "test.Service");
}

TEST(ServerSetup, options_out_of_range_are_refused) {
  LoopGroup loops(1);
  EXPECT_EQ(Server::create(loops, {.max_concurrent_streams = 0}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Server::create(loops, {.max_receive_bytes = 0}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Server::create(loops, {.write_timeout = Duration::zero()}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Server::create(loops, {.unary_interceptors = {nullptr}}).status().code(), StatusCode::kInvalidArgument);
}

// --- Interceptors ---

class Marking final : public UnaryServerInterceptor {
 public:
  explicit Marking(std::string name) : name_(std::move(name)) {}
  Task<Status> intercept(ServerContext& context, ConstMessage request, Message response, const UnaryServerInfo& info,
                         UnaryHandler& next) override {
    ++calls;
    auto& text = *static_cast<Text*>(response.object);
    EXPECT_EQ(info.full_method, "/test.Service/Unary");
    EXPECT_EQ(context.method(), info.full_method);
    if (static_cast<const Text*>(request.object)->value == "stop " + name_) co_return Status::permission_denied(name_);
    Status status = co_await next(context, request, response);
    text.value += "<" + name_;
    co_return status;
  }
  int calls = 0;

 private:
  std::string name_;
};

TEST(ServerInterceptors, the_first_is_outermost_and_each_may_answer_itself) {
  Marking a("a"), b("b"), c("c");
  ServerWorld world({.unary_interceptors = {&a, &b, &c}});
  ClientCall& call = world.finish(world.client().call("Unary", "x"));
  EXPECT_EQ(call.messages(), std::vector<std::string>{"x<c<b<a"});
  ClientCall& stopped = world.finish(world.client().call("Unary", "stop b"));
  EXPECT_EQ(stopped.grpc_status(), "7");
  EXPECT_EQ(stopped.grpc_message(), "b");
  EXPECT_EQ(c.calls, 1) << "what is behind the one that answered doesn't run";
}

TEST(ServerInterceptors, one_alone_stands_before_the_handler) {
  Marking only("only");
  ServerWorld world({.unary_interceptors = {&only}});
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).messages(), std::vector<std::string>{"x<only"});
}

TEST(ServerInterceptors, paths_that_are_not_canonical_never_reach_them) {  // [134] [135]
  Marking guard("guard");
  ServerWorld world({.unary_interceptors = {&guard}});
  for (const char* path :
       {"test.Service/Unary", "//test.Service/Unary", "/test.Service//Unary", "/test.Service/Unary/"}) {
    EXPECT_EQ(world.finish(world.client().call("Unary", "x", {{":path", path}})).grpc_status(), "12") << path;
  }
  EXPECT_EQ(guard.calls, 0);
}

}  // namespace
}  // namespace gaggle
