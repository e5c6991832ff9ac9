// SPDX-License-Identifier: Apache-2.0
#include "gaggle/services/reflection_client.h"

#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gaggle/services/health.h"
#include "gaggle/services/reflection.h"
#include "gaggle/services/services_testing.h"
#include "grpc/reflection/v1/reflection.gaggle.h"
#include "grpc/reflection/v1alpha/reflection.gaggle.h"

namespace gaggle {
namespace {

namespace v1 = grpc::reflection::v1;
namespace v1alpha = grpc::reflection::v1alpha;
using google::protobuf::FileDescriptorProto;

// Answers each request with what a test put in.
class Scripted final : public v1::UnimplementedServerReflectionServer {
 public:
  std::vector<v1::ServerReflectionResponse> answers;
  std::vector<v1::ServerReflectionRequest> requests;

  v1::ServerReflectionResponse& next() { return answers.emplace_back(); }
  void next_file(const FileDescriptorProto& file) {
    next().mutable_file_descriptor_response()->add_file_descriptor_proto(file.SerializePartialAsString());
  }

 private:
  Task<Status> ServerReflectionInfo(
      ServerContext&, BidiStreamingServer<v1::ServerReflectionRequest, v1::ServerReflectionResponse>& stream) override {
    for (const v1::ServerReflectionResponse& answer : answers) {
      v1::ServerReflectionRequest request;
      Result<bool> more = co_await stream.recv(request);
      if (!more) co_return more.error();
      requests.push_back(request);
      Status sent = co_await stream.send(answer);
      if (!sent) co_return sent;
    }
    co_return Status::ok();
  }
};

struct ScriptedWorld {
  Scripted script;
  ServicesWorld world;
  ReflectionClient client;
  explicit ScriptedWorld(ReflectionClientOptions options = {}) : client(*world.conn, options) {
    EXPECT_TRUE(v1::RegisterServerReflectionServer(*world.conn, script).is_ok());
  }
  ~ScriptedWorld() { world.close(); }
  Status find(const std::string& name) { return world.run(client.find_service({}, name)).status(); }
};

FileDescriptorProto file(const std::string& name, const std::vector<std::string>& imports = {}) {
  FileDescriptorProto made;
  made.set_name(name);
  made.set_syntax("proto3");
  for (const std::string& import : imports) made.add_dependency(import);
  return made;
}
FileDescriptorProto with_service(FileDescriptorProto made, const std::string& input) {
  auto& service = *made.add_service();
  service.set_name("Shop");
  auto& method = *service.add_method();
  method.set_name("Buy");
  method.set_input_type(input);
  method.set_output_type(input);
  return made;
}

struct RealWorld {
  ReflectionServer reflection;
  HealthServer health;
  ServicesWorld world;
  ReflectionClient client{*world.conn};
  RealWorld() {
    EXPECT_TRUE(reflection.register_with(*world.conn).is_ok());
    EXPECT_TRUE(health.register_with(*world.conn).is_ok());
  }
  ~RealWorld() { world.close(); }
};

TEST(ReflectionClient, finds_services_with_their_messages) {
  RealWorld world;
  const auto names = world.world.run(world.client.list_services({}));
  ASSERT_TRUE(names.is_ok()) << names.status().to_string();
  EXPECT_EQ(names->size(), 3u);
  const auto service = world.world.run(world.client.find_service({}, "grpc.health.v1.Health"));
  ASSERT_TRUE(service.is_ok()) << service.status().to_string();
  const auto* watch = (*service)->FindMethodByName("Watch");
  ASSERT_NE(watch, nullptr);
  EXPECT_TRUE(watch->server_streaming());
  EXPECT_EQ(watch->input_type()->field(0)->name(), "service");
  EXPECT_NE((*service)->file()->pool(), google::protobuf::DescriptorPool::generated_pool())
      << "what this program was compiled with isn't asked";
}

TEST(ReflectionClient, what_the_server_does_not_describe_is_not_found) {
  RealWorld world;
  EXPECT_EQ(world.world.run(world.client.find_service({}, "no.Such")).status().code(), StatusCode::kNotFound);
  const Status message = world.world.run(world.client.find_service({}, "grpc.health.v1.HealthListRequest")).status();
  EXPECT_EQ(message.code(), StatusCode::kNotFound) << "a message is no service";
  EXPECT_TRUE(world.world.run(world.client.find_message({}, "grpc.health.v1.HealthListRequest")).is_ok());
}

TEST(ReflectionClient, a_server_without_reflection_says_so) {
  HealthServer health;
  ServicesWorld world;
  ASSERT_TRUE(health.register_with(*world.conn).is_ok());
  ReflectionClient client(*world.conn);
  const Status status = world.run(client.find_service({}, "grpc.health.v1.Health")).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_NE(status.message().find("no reflection"), std::string_view::npos) << status.to_string();
  world.close();
}

// Answers one list_services under the old name.
class OldReflection final : public v1alpha::UnimplementedServerReflectionServer {
  Task<Status> ServerReflectionInfo(
      ServerContext&,
      BidiStreamingServer<v1alpha::ServerReflectionRequest, v1alpha::ServerReflectionResponse>& stream) override {
    v1alpha::ServerReflectionRequest request;
    Result<bool> more = co_await stream.recv(request);
    if (!more) co_return more.error();
    v1alpha::ServerReflectionResponse response;
    response.mutable_list_services_response()->add_service()->set_name("old.Service");
    Status sent = co_await stream.send(response);
    co_return sent;
  }
};

TEST(ReflectionClient, falls_back_to_v1alpha) {
  OldReflection old;
  ServicesWorld world;
  ASSERT_TRUE(v1alpha::RegisterServerReflectionServer(*world.conn, old).is_ok());
  ReflectionClient client(*world.conn);
  const auto names = world.run(client.list_services({}));
  ASSERT_TRUE(names.is_ok()) << names.status().to_string();
  EXPECT_EQ(names->at(0), "old.Service");
  world.close();
}

TEST(ReflectionClient, asks_for_imports_that_are_missing) {
  ScriptedWorld world;
  FileDescriptorProto base = file("base.proto");
  base.add_message_type()->set_name("Thing");
  world.script.next_file(with_service(file("shop.proto", {"base.proto", "google/protobuf/any.proto"}), ".Thing"));
  world.script.next_file(base);
  const Status found = world.find("Shop");
  EXPECT_TRUE(found.is_ok()) << found.to_string();
  ASSERT_EQ(world.script.requests.size(), 2u) << "protobuf's own files are known to everybody";
  EXPECT_EQ(world.script.requests[1].file_by_filename(), "base.proto");
}

TEST(ReflectionClient, what_makes_no_sense_is_refused) {
  const auto refused = [](auto&& fill) {
    ScriptedWorld world;
    fill(world.script);
    const Status status = world.find("Shop");
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status.to_string();
  };
  refused([](Scripted& s) { s.next().mutable_file_descriptor_response()->add_file_descriptor_proto("\xff"); });
  refused([](Scripted& s) { s.next_file(file("")); });
  refused([](Scripted& s) { s.next_file(with_service(file("shop.proto"), ".NoSuchType")); });
  refused([](Scripted& s) { s.next_file(file("a.proto", {"a.proto"})); });
  refused([](Scripted& s) {  // a circle of imports
    s.next_file(file("a.proto", {"b.proto"}));
    s.next_file(file("b.proto", {"a.proto"}));
  });
  refused([](Scripted& s) {  // not what was asked for
    s.next_file(file("a.proto", {"b.proto"}));
    s.next_file(file("c.proto"));
  });
  refused([](Scripted&) {});  // the stream just ends
}

TEST(ReflectionClient, a_server_cannot_send_without_end) {
  ScriptedWorld few(ReflectionClientOptions{.max_files = 2});
  for (int i = 0; i < 4; ++i) {
    few.script.next_file(file(std::to_string(i) + ".proto", {std::to_string(i + 1) + ".proto"}));
  }
  EXPECT_EQ(few.find("Shop").code(), StatusCode::kResourceExhausted);
  ScriptedWorld small(ReflectionClientOptions{.max_bytes = 100});
  small.script.next_file(file(std::string(200, 'x') + ".proto"));
  EXPECT_EQ(small.find("Shop").code(), StatusCode::kResourceExhausted);
}

TEST(ReflectionClient, the_server_s_errors_come_through) {
  ScriptedWorld world;
  world.script.next().mutable_error_response()->set_error_code(static_cast<int>(StatusCode::kPermissionDenied));
  EXPECT_EQ(world.find("Shop").code(), StatusCode::kPermissionDenied);
  ScriptedWorld odd;
  odd.script.next().mutable_error_response()->set_error_code(99);
  EXPECT_EQ(odd.find("Shop").code(), StatusCode::kUnknown) << "no code of gRPC";
}

}  // namespace
}  // namespace gaggle
