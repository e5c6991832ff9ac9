// SPDX-License-Identifier: Apache-2.0
//
// client --server_port=N --test_case=A,B,... [--use_tls=true --ca_file=F --server_host_override=NAME]:
// the interoperability cases on grpc++. Prints "ok CASE" or "FAILED CASE: why" for each.
#include <grpcpp/grpcpp.h>

#include <array>
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "common.h"
#include "grpc/testing/test.grpc.pb.h"

namespace {

using namespace grpc::testing;
using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;

constexpr std::array<int, 4> kRequestSizes = {27182, 8, 1828, 45904};
constexpr std::array<int, 4> kResponseSizes = {31415, 9, 2653, 58979};
constexpr int kLargeRequest = 271828;
constexpr int kLargeResponse = 314159;

void expect(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what);
}

void expect_code(const Status& status, StatusCode code) {
  expect(status.error_code() == code,
         "ended with " + std::to_string(status.error_code()) + " '" + status.error_message() + "'");
}

Payload zeros(int size) {
  Payload payload;
  payload.set_body(std::string(static_cast<size_t>(size), '\0'));
  return payload;
}

struct Call {
  ClientContext context;
  Call() { context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30)); }
};

struct Tests {
  std::function<std::shared_ptr<grpc::Channel>()> connect;
  std::shared_ptr<grpc::Channel> channel = connect();
  std::unique_ptr<TestService::Stub> stub = TestService::NewStub(channel);

  void empty_unary() {
    Call call;
    Empty empty, response;
    expect_code(stub->EmptyCall(&call.context, empty, &response), StatusCode::OK);
  }

  static SimpleRequest large_request() {
    SimpleRequest request;
    request.set_response_size(kLargeResponse);
    *request.mutable_payload() = zeros(kLargeRequest);
    return request;
  }

  static void large(TestService::Stub& on, Call& call, const SimpleRequest& request) {
    SimpleResponse response;
    expect_code(on.UnaryCall(&call.context, request, &response), StatusCode::OK);
    expect(response.payload().body() == std::string(kLargeResponse, '\0'), "another response");
  }

  void large_unary() {
    Call call;
    large(*stub, call, large_request());
  }

  void rpc_soak() {
    for (int i = 0; i < 10; ++i) large_unary();
  }

  void channel_soak() {
    for (int i = 0; i < 10; ++i) {
      Call call;
      large(*TestService::NewStub(connect()), call, large_request());
    }
  }

  void client_compressed_unary() {
    SimpleRequest request = large_request();
    request.mutable_expect_compressed()->set_value(true);
    Call probe;
    SimpleResponse response;
    expect_code(stub->UnaryCall(&probe.context, request, &response), StatusCode::INVALID_ARGUMENT);
    Call compressed;
    compressed.context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    large(*stub, compressed, request);
    request.mutable_expect_compressed()->set_value(false);
    Call plain;
    large(*stub, plain, request);
  }

  void server_compressed_unary() {
    for (const bool compressed : {true, false}) {
      SimpleRequest request = large_request();
      request.mutable_response_compressed()->set_value(compressed);
      Call call;
      large(*stub, call, request);
      expect(interop::last_was_compressed(call.context.c_call()) == compressed, "compressed or not, the wrong one");
    }
  }

  void client_streaming() {
    Call call;
    StreamingInputCallResponse response;
    const auto writer = stub->StreamingInputCall(&call.context, &response);
    for (const int size : kRequestSizes) {
      StreamingInputCallRequest request;
      *request.mutable_payload() = zeros(size);
      expect(writer->Write(request), "a message couldn't be sent");
    }
    writer->WritesDone();
    expect_code(writer->Finish(), StatusCode::OK);
    expect(response.aggregated_payload_size() == 74922, "another sum");
  }

  void client_compressed_streaming() {
    StreamingInputCallRequest request;
    *request.mutable_payload() = zeros(27182);
    request.mutable_expect_compressed()->set_value(true);
    StreamingInputCallResponse response;
    Call probe;
    auto writer = stub->StreamingInputCall(&probe.context, &response);
    writer->Write(request);
    writer->WritesDone();
    expect_code(writer->Finish(), StatusCode::INVALID_ARGUMENT);
    Call call;
    call.context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    writer = stub->StreamingInputCall(&call.context, &response);
    expect(writer->Write(request), "the compressed message couldn't be sent");
    request.mutable_expect_compressed()->set_value(false);
    *request.mutable_payload() = zeros(45904);
    expect(writer->Write(request, grpc::WriteOptions().set_no_compression()), "the plain message couldn't be sent");
    writer->WritesDone();
    expect_code(writer->Finish(), StatusCode::OK);
    expect(response.aggregated_payload_size() == 73086, "another sum");
  }

  void server_streaming() {
    StreamingOutputCallRequest request;
    for (const int size : kResponseSizes) request.add_response_parameters()->set_size(size);
    Call call;
    const auto reader = stub->StreamingOutputCall(&call.context, request);
    StreamingOutputCallResponse response;
    for (const int size : kResponseSizes) {
      expect(reader->Read(&response), "a response is missing");
      expect(response.payload().body().size() == static_cast<size_t>(size), "another size");
    }
    expect(!reader->Read(&response), "a response too many");
    expect_code(reader->Finish(), StatusCode::OK);
  }

  void server_compressed_streaming() {
    StreamingOutputCallRequest request;
    for (const auto& [compressed, size] : {std::pair(true, 31415), std::pair(false, 92653)}) {
      ResponseParameters& wanted = *request.add_response_parameters();
      wanted.set_size(size);
      wanted.mutable_compressed()->set_value(compressed);
    }
    Call call;
    const auto reader = stub->StreamingOutputCall(&call.context, request);
    StreamingOutputCallResponse response;
    for (const ResponseParameters& wanted : request.response_parameters()) {
      expect(reader->Read(&response), "a response is missing");
      expect(response.payload().body().size() == static_cast<size_t>(wanted.size()), "another size");
      expect(interop::last_was_compressed(call.context.c_call()) == wanted.compressed().value(),
             "compressed or not, the wrong one");
    }
    expect(!reader->Read(&response), "a response too many");
    expect_code(reader->Finish(), StatusCode::OK);
  }

  void ping_pong() {
    Call call;
    const auto stream = stub->FullDuplexCall(&call.context);
    StreamingOutputCallResponse response;
    for (size_t i = 0; i < kRequestSizes.size(); ++i) {
      StreamingOutputCallRequest request;
      request.add_response_parameters()->set_size(kResponseSizes[i]);
      *request.mutable_payload() = zeros(kRequestSizes[i]);
      expect(stream->Write(request), "a message couldn't be sent");
      expect(stream->Read(&response), "a response is missing");
      expect(response.payload().body().size() == static_cast<size_t>(kResponseSizes[i]), "another size");
    }
    stream->WritesDone();
    expect(!stream->Read(&response), "a response too many");
    expect_code(stream->Finish(), StatusCode::OK);
  }

  void half_duplex() {
    Call call;
    const auto stream = stub->HalfDuplexCall(&call.context);
    for (const int size : kResponseSizes) {
      StreamingOutputCallRequest request;
      request.add_response_parameters()->set_size(size);
      expect(stream->Write(request), "a message couldn't be sent");
    }
    stream->WritesDone();
    StreamingOutputCallResponse response;
    for (const int size : kResponseSizes) {
      expect(stream->Read(&response), "a response is missing");
      expect(response.payload().body().size() == static_cast<size_t>(size), "another size");
    }
    expect(!stream->Read(&response), "a response too many");
    expect_code(stream->Finish(), StatusCode::OK);
  }

  void empty_stream() {
    Call call;
    const auto stream = stub->FullDuplexCall(&call.context);
    stream->WritesDone();
    StreamingOutputCallResponse response;
    expect(!stream->Read(&response), "a response too many");
    expect_code(stream->Finish(), StatusCode::OK);
  }

  static void add_metadata(ClientContext& context) {
    context.AddMetadata("x-grpc-test-echo-initial", "test_initial_metadata_value");
    context.AddMetadata("x-grpc-test-echo-trailing-bin", "\xab\xab\xab");
  }
  static void expect_metadata(ClientContext& context) {
    const auto& header = context.GetServerInitialMetadata();
    const auto initial = header.find("x-grpc-test-echo-initial");
    expect(initial != header.end() && initial->second == "test_initial_metadata_value", "the header isn't echoed");
    const auto& trailer = context.GetServerTrailingMetadata();
    const auto trailing = trailer.find("x-grpc-test-echo-trailing-bin");
    expect(trailing != trailer.end() && trailing->second == "\xab\xab\xab", "the trailer isn't echoed");
  }

  void custom_metadata() {
    Call unary;
    add_metadata(unary.context);
    SimpleRequest request;
    request.set_response_size(1);
    SimpleResponse response;
    expect_code(stub->UnaryCall(&unary.context, request, &response), StatusCode::OK);
    expect_metadata(unary.context);
    Call duplex;
    add_metadata(duplex.context);
    const auto stream = stub->FullDuplexCall(&duplex.context);
    StreamingOutputCallRequest question;
    question.add_response_parameters()->set_size(1);
    stream->Write(question);
    stream->WritesDone();
    StreamingOutputCallResponse answer;
    expect(stream->Read(&answer) && !stream->Read(&answer), "not one response");
    expect_code(stream->Finish(), StatusCode::OK);
    expect_metadata(duplex.context);
  }

  void unary_status(const std::string& message) {
    SimpleRequest request;
    request.mutable_response_status()->set_code(2);
    request.mutable_response_status()->set_message(message);
    SimpleResponse response;
    Call call;
    const Status status = stub->UnaryCall(&call.context, request, &response);
    expect_code(status, StatusCode::UNKNOWN);
    expect(status.error_message() == message, "the message is '" + status.error_message() + "'");
  }

  void status_code_and_message() {
    unary_status("test status message");
    Call call;
    const auto stream = stub->FullDuplexCall(&call.context);
    StreamingOutputCallRequest request;
    request.mutable_response_status()->set_code(2);
    request.mutable_response_status()->set_message("test status message");
    stream->Write(request);
    stream->WritesDone();
    StreamingOutputCallResponse response;
    expect(!stream->Read(&response), "a response");
    const Status status = stream->Finish();
    expect_code(status, StatusCode::UNKNOWN);
    expect(status.error_message() == "test status message", "another message");
  }

  void special_status_message() {
    unary_status("\t\ntest with whitespace\r\nand Unicode BMP \xe2\x98\xba and non-BMP \xf0\x9f\x98\x88\t\n");
  }

  void unimplemented_method() {
    Call call;
    Empty empty, response;
    expect_code(stub->UnimplementedCall(&call.context, empty, &response), StatusCode::UNIMPLEMENTED);
  }

  void unimplemented_service() {
    Call call;
    Empty empty, response;
    expect_code(UnimplementedService::NewStub(channel)->UnimplementedCall(&call.context, empty, &response),
                StatusCode::UNIMPLEMENTED);
  }

  void cancel_after_begin() {
    Call call;
    StreamingInputCallResponse response;
    const auto writer = stub->StreamingInputCall(&call.context, &response);
    call.context.TryCancel();
    expect_code(writer->Finish(), StatusCode::CANCELLED);
  }

  void cancel_after_first_response() {
    Call call;
    const auto stream = stub->FullDuplexCall(&call.context);
    StreamingOutputCallRequest request;
    request.add_response_parameters()->set_size(31415);
    *request.mutable_payload() = zeros(27182);
    stream->Write(request);
    StreamingOutputCallResponse response;
    expect(stream->Read(&response), "no response");
    call.context.TryCancel();
    expect_code(stream->Finish(), StatusCode::CANCELLED);
  }

  void timeout_on_sleeping_server() {
    ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
    const auto stream = stub->FullDuplexCall(&context);
    StreamingOutputCallRequest request;
    *request.mutable_payload() = zeros(27182);
    stream->Write(request);
    StreamingOutputCallResponse response;
    stream->Read(&response);
    expect_code(stream->Finish(), StatusCode::DEADLINE_EXCEEDED);
  }

  void pick_first_unary() {
    std::string first;
    for (int i = 0; i < 100; ++i) {
      SimpleRequest request;
      request.set_fill_server_id(true);
      SimpleResponse response;
      Call call;
      expect_code(stub->UnaryCall(&call.context, request, &response), StatusCode::OK);
      if (i == 0) first = response.server_id();
      expect(!first.empty() && response.server_id() == first, "another server");
    }
  }
};

const std::map<std::string, void (Tests::*)()> kCases = {
    {"empty_unary", &Tests::empty_unary},
    {"large_unary", &Tests::large_unary},
    {"client_compressed_unary", &Tests::client_compressed_unary},
    {"server_compressed_unary", &Tests::server_compressed_unary},
    {"client_streaming", &Tests::client_streaming},
    {"client_compressed_streaming", &Tests::client_compressed_streaming},
    {"server_streaming", &Tests::server_streaming},
    {"server_compressed_streaming", &Tests::server_compressed_streaming},
    {"ping_pong", &Tests::ping_pong},
    {"half_duplex", &Tests::half_duplex},
    {"empty_stream", &Tests::empty_stream},
    {"custom_metadata", &Tests::custom_metadata},
    {"status_code_and_message", &Tests::status_code_and_message},
    {"special_status_message", &Tests::special_status_message},
    {"unimplemented_method", &Tests::unimplemented_method},
    {"unimplemented_service", &Tests::unimplemented_service},
    {"cancel_after_begin", &Tests::cancel_after_begin},
    {"cancel_after_first_response", &Tests::cancel_after_first_response},
    {"timeout_on_sleeping_server", &Tests::timeout_on_sleeping_server},
    {"pick_first_unary", &Tests::pick_first_unary},
    {"rpc_soak", &Tests::rpc_soak},
    {"channel_soak", &Tests::channel_soak},
};

}  // namespace

int main(int argc, char** argv) {
  auto flags = interop::flags_of(argc, argv);
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  grpc::ChannelArguments arguments;
  // Otherwise all channels to one address share a connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (flags["use_tls"] == "true") {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = interop::content_of(flags["ca_file"]);
    credentials = grpc::SslCredentials(options);
    arguments.SetSslTargetNameOverride(flags["server_host_override"]);
  }
  Tests tests{[&] { return grpc::CreateCustomChannel("127.0.0.1:" + flags["server_port"], credentials, arguments); }};
  bool good = true;
  std::istringstream names(flags["test_case"]);
  for (std::string name; std::getline(names, name, ',');) {
    try {
      (tests.*kCases.at(name))();
      std::cout << "ok " << name << std::endl;
    } catch (const std::exception& error) {
      std::cout << "FAILED " << name << ": " << error.what() << std::endl;
      good = false;
    }
  }
  return good ? 0 : 1;
}
