// SPDX-License-Identifier: Apache-2.0
#include "gaggle/services/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "gaggle/services/health.h"
#include "gaggle/services/services_testing.h"
#include "grpc/reflection/v1/reflection.gaggle.h"
#include "grpc/reflection/v1alpha/reflection.gaggle.h"

namespace gaggle {
namespace {

namespace v1 = grpc::reflection::v1;
namespace v1alpha = grpc::reflection::v1alpha;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptorProto;

FileDescriptorProto file_of(const std::string& text) {
  FileDescriptorProto file;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &file));
  return file;
}

// A pool of run time: "base.proto" with an extensible message, imported by "more.proto", which extends it.
struct RunTimePool {
  DescriptorPool pool;
  RunTimePool() {
    pool.BuildFile(file_of(R"(name: "base.proto" package: "shop" message_type {
      name: "Base" field { name: "id" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
      extension_range { start: 100 end: 200 } })"));
    pool.BuildFile(file_of(R"(name: "more.proto" package: "shop" dependency: "base.proto"
      extension { name: "size" extendee: ".shop.Base" number: 150 type: TYPE_INT32 label: LABEL_OPTIONAL }
      extension { name: "colour" extendee: ".shop.Base" number: 120 type: TYPE_INT32 label: LABEL_OPTIONAL }
      service { name: "Shop" method { name: "Buy" input_type: ".shop.Base" output_type: ".shop.Base" } })"));
  }
};

template <class Client, class Request, class Response>
struct Version {
  using ClientType = Client;
  using RequestType = Request;
  using ResponseType = Response;
};

template <class V>
class ReflectionTest : public ::testing::Test {
 protected:
  using Request = typename V::RequestType;
  using Response = typename V::ResponseType;

  RunTimePool run_time;
  ReflectionServer reflection{{.pools = {&run_time.pool}}};
  HealthServer health;
  ServicesWorld world;

  void SetUp() override {
    ASSERT_TRUE(reflection.register_with(*world.conn).is_ok());
    ASSERT_TRUE(health.register_with(*world.conn).is_ok());
  }
  void TearDown() override { world.close(); }

  // All answers of one stream, and how it ended.
  struct Conversation {
    std::vector<Response> answers;
    Status end;
  };
  Conversation talk(const std::vector<Request>& requests) {
    Conversation result;
    result.end = world.run(converse(requests, result.answers));
    return result;
  }
  static Request request(void (*fill)(Request&)) {
    Request made;
    made.set_host("here");
    fill(made);
    return made;
  }
  Response one(void (*fill)(Request&)) {
    Conversation result = talk({request(fill)});
    EXPECT_TRUE(result.end.is_ok()) << result.end.to_string();
    EXPECT_EQ(result.answers.size(), 1u);
    return result.answers.empty() ? Response() : result.answers[0];
  }
  static std::vector<std::string> files(const Response& response) {
    std::vector<std::string> names;
    for (const std::string& encoded : response.file_descriptor_response().file_descriptor_proto()) {
      FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(encoded));
      names.push_back(file.name());
    }
    return names;
  }

 private:
  Task<Status> converse(const std::vector<Request>& requests, std::vector<Response>& answers) {
    typename V::ClientType client(*world.conn);
    auto opening = client.ServerReflectionInfo({});
    auto stream = co_await std::move(opening);
    if (!stream) co_return stream.error();
    for (const Request& each : requests) {
      Result<bool> sent = co_await stream->send(each);
      if (!sent) co_return sent.error();
      Response response;
      Result<bool> more = co_await stream->recv(response);
      if (!more) co_return more.error();
      answers.push_back(response);
    }
    Status closed = co_await stream->close_send();
    if (!closed) co_return closed;
    Response nothing;
    Result<bool> more = co_await stream->recv(nothing);
    co_return more.status();
  }
};

using Versions = ::testing::Types<
    Version<v1::ServerReflectionClient, v1::ServerReflectionRequest, v1::ServerReflectionResponse>,
    Version<v1alpha::ServerReflectionClient, v1alpha::ServerReflectionRequest, v1alpha::ServerReflectionResponse>>;
TYPED_TEST_SUITE(ReflectionTest, Versions);

TYPED_TEST(ReflectionTest, lists_what_is_registered_itself_included) {
  const auto response = this->one([](auto& r) { r.set_list_services("*"); });
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
  EXPECT_EQ(names, (std::vector<std::string>{"grpc.reflection.v1.ServerReflection",
                                             "grpc.reflection.v1alpha.ServerReflection", "grpc.health.v1.Health"}))
      << "health was registered after reflection, and is there all the same";
  EXPECT_EQ(response.valid_host(), "here");
  EXPECT_EQ(response.original_request().list_services(), "*");
}

TYPED_TEST(ReflectionTest, gives_the_file_of_a_name) {
  EXPECT_EQ(this->files(this->one([](auto& r) { r.set_file_by_filename("grpc/health/v1/health.proto"); })),
            (std::vector<std::string>{"grpc/health/v1/health.proto"}));
  EXPECT_EQ(this->files(this->one([](auto& r) { r.set_file_by_filename("base.proto"); })),
            (std::vector<std::string>{"base.proto"}))
      << "from the pool that the program gave";
}

TYPED_TEST(ReflectionTest, gives_the_file_of_any_symbol_with_its_imports) {
  EXPECT_EQ(this->files(this->one([](auto& r) { r.set_file_containing_symbol("shop.Shop"); })),
            (std::vector<std::string>{"more.proto", "base.proto"}))
      << "the file first, then what it imports";
  EXPECT_EQ(this->files(this->one([](auto& r) { r.set_file_containing_symbol("shop.Shop.Buy"); })).at(0), "more.proto");
  EXPECT_EQ(this->files(this->one([](auto& r) { r.set_file_containing_symbol("shop.Base.id"); })).at(0), "base.proto");
  EXPECT_EQ(this->files(this->one([](auto& r) { r.set_file_containing_symbol("shop.size"); })).at(0), "more.proto");
  EXPECT_EQ(this->files(this->one([](auto& r) {
                  r.set_file_containing_symbol("grpc.health.v1.HealthCheckResponse.ServingStatus");
                }))
                .at(0),
            "grpc/health/v1/health.proto");
}

TYPED_TEST(ReflectionTest, sends_an_import_once_per_stream) {
  const auto symbol = this->request([](auto& r) { r.set_file_containing_symbol("shop.Shop"); });
  const auto base = this->request([](auto& r) { r.set_file_by_filename("base.proto"); });
  const auto result = this->talk({symbol, symbol, base});
  ASSERT_EQ(result.answers.size(), 3u);
  EXPECT_EQ(this->files(result.answers[0]).size(), 2u);
  EXPECT_EQ(this->files(result.answers[1]), (std::vector<std::string>{"more.proto"})) << "asked for again, given again";
  EXPECT_EQ(this->files(result.answers[2]), (std::vector<std::string>{"base.proto"}));
}

TYPED_TEST(ReflectionTest, knows_extensions) {
  const auto response = this->one([](auto& r) {
    r.mutable_file_containing_extension()->set_containing_type("shop.Base");
    r.mutable_file_containing_extension()->set_extension_number(150);
  });
  EXPECT_EQ(this->files(response).at(0), "more.proto");
  const auto all = this->one([](auto& r) { r.set_all_extension_numbers_of_type("shop.Base"); });
  const auto& numbers = all.all_extension_numbers_response();
  EXPECT_EQ(numbers.base_type_name(), "shop.Base");
  EXPECT_EQ((std::vector<int>(numbers.extension_number().begin(), numbers.extension_number().end())),
            (std::vector<int>{120, 150}));
}

TYPED_TEST(ReflectionTest, what_is_not_there_is_an_error_response_and_the_stream_goes_on) {
  const auto result = this->talk(
      {this->request([](auto& r) { r.set_file_containing_symbol("no.Such"); }),
       this->request([](auto& r) { r.set_file_by_filename("no.proto"); }),
       this->request([](auto& r) { r.set_all_extension_numbers_of_type("no.Type"); }),
       this->request([](auto& r) { r.mutable_file_containing_extension()->set_containing_type("shop.Base"); }),
       this->request([](auto& r) { r.set_file_containing_symbol(""); }),
       this->request([](auto& r) { r.set_list_services(""); })});
  EXPECT_TRUE(result.end.is_ok()) << result.end.to_string();
  ASSERT_EQ(result.answers.size(), 6u);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(result.answers[i].error_response().error_code(), static_cast<int>(StatusCode::kNotFound)) << i;
    EXPECT_FALSE(result.answers[i].error_response().error_message().empty()) << i;
  }
  EXPECT_EQ(result.answers[5].list_services_response().service_size(), 3);
}

TYPED_TEST(ReflectionTest, a_request_for_nothing_ends_the_stream) {
  const auto result = this->talk({this->request([](auto&) {})});
  EXPECT_EQ(result.end.code(), StatusCode::kInvalidArgument);
}

TYPED_TEST(ReflectionTest, a_type_without_extensions_has_none) {
  const auto response =
      this->one([](auto& r) { r.set_all_extension_numbers_of_type("grpc.health.v1.HealthCheckRequest"); });
  EXPECT_TRUE(response.has_all_extension_numbers_response()) << "known, and empty";
  EXPECT_EQ(response.all_extension_numbers_response().extension_number_size(), 0);
}

}  // namespace
}  // namespace gaggle
