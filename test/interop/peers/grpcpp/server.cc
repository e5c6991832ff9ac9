// SPDX-License-Identifier: Apache-2.0
//
// server --port=N [--use_tls=true --tls_cert_file=F --tls_key_file=F]: grpc.testing.TestService on grpc++.
#include <grpcpp/grpcpp.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common.h"
#include "grpc/testing/test.grpc.pb.h"

namespace {

using namespace grpc::testing;
using grpc::ServerContext;
using grpc::Status;

void echo_metadata(ServerContext& context) {
  const auto& sent = context.client_metadata();
  if (const auto found = sent.find("x-grpc-test-echo-initial"); found != sent.end()) {
    context.AddInitialMetadata("x-grpc-test-echo-initial", {found->second.data(), found->second.size()});
  }
  if (const auto found = sent.find("x-grpc-test-echo-trailing-bin"); found != sent.end()) {
    context.AddTrailingMetadata("x-grpc-test-echo-trailing-bin", {found->second.data(), found->second.size()});
  }
}

Status wanted_status(const EchoStatus& status) {
  return {static_cast<grpc::StatusCode>(status.code()), status.message()};
}

template <class Request>
bool as_expected(const Request& request, ServerContext& context) {
  return !request.has_expect_compressed() ||
         request.expect_compressed().value() == interop::last_was_compressed(context.c_call());
}

Payload zeros(int size) {
  Payload payload;
  payload.set_body(std::string(static_cast<size_t>(size), '\0'));
  return payload;
}

const Status kWrongCompression(grpc::StatusCode::INVALID_ARGUMENT, "the request's compression isn't as expected");

class Tests final : public TestService::Service {
  Status EmptyCall(ServerContext*, const Empty*, Empty*) override { return Status::OK; }

  Status UnaryCall(ServerContext* context, const SimpleRequest* request, SimpleResponse* response) override {
    echo_metadata(*context);
    if (!as_expected(*request, *context)) return kWrongCompression;
    if (request->has_response_compressed()) {
      context->set_compression_algorithm(request->response_compressed().value() ? GRPC_COMPRESS_GZIP
                                                                                : GRPC_COMPRESS_NONE);
    }
    if (request->response_status().code() != 0) return wanted_status(request->response_status());
    if (request->fill_server_id()) response->set_server_id(std::to_string(::getpid()));
    *response->mutable_payload() = zeros(request->response_size());
    return Status::OK;
  }

  template <class Stream>
  static bool answer(const StreamingOutputCallRequest& request, Stream& stream) {
    for (const ResponseParameters& wanted : request.response_parameters()) {
      if (wanted.interval_us() > 0) std::this_thread::sleep_for(std::chrono::microseconds(wanted.interval_us()));
      StreamingOutputCallResponse response;
      *response.mutable_payload() = zeros(wanted.size());
      grpc::WriteOptions options;
      if (wanted.has_compressed() && !wanted.compressed().value()) options.set_no_compression();
      if (!stream.Write(response, options)) return false;
    }
    return true;
  }

  Status StreamingOutputCall(ServerContext* context, const StreamingOutputCallRequest* request,
                             grpc::ServerWriter<StreamingOutputCallResponse>* writer) override {
    for (const ResponseParameters& wanted : request->response_parameters()) {
      if (wanted.compressed().value()) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    }
    answer(*request, *writer);
    return Status::OK;
  }

  Status StreamingInputCall(ServerContext* context, grpc::ServerReader<StreamingInputCallRequest>* reader,
                            StreamingInputCallResponse* response) override {
    int total = 0;
    StreamingInputCallRequest request;
    while (reader->Read(&request)) {
      if (!as_expected(request, *context)) return kWrongCompression;
      total += static_cast<int>(request.payload().body().size());
    }
    response->set_aggregated_payload_size(total);
    return Status::OK;
  }

  using Duplex = grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>;

  Status FullDuplexCall(ServerContext* context, Duplex* stream) override {
    echo_metadata(*context);
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) {
      if (request.response_status().code() != 0) return wanted_status(request.response_status());
      if (!answer(request, *stream)) break;
    }
    return Status::OK;
  }

  Status HalfDuplexCall(ServerContext*, Duplex* stream) override {
    std::vector<StreamingOutputCallRequest> requests;
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) requests.push_back(request);
    for (const StreamingOutputCallRequest& one : requests) {
      if (!answer(one, *stream)) break;
    }
    return Status::OK;
  }
};

}  // namespace

int main(int argc, char** argv) {
  auto flags = interop::flags_of(argc, argv);
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  if (flags["use_tls"] == "true") {
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back(
        {interop::content_of(flags["tls_key_file"]), interop::content_of(flags["tls_cert_file"])});
    credentials = grpc::SslServerCredentials(options);
  }
  Tests tests;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + flags["port"], credentials, &port);
  builder.RegisterService(&tests);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::cout << "listening on port " << port << std::endl;
  server->Wait();
}
