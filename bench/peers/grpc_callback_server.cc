// SPDX-License-Identifier: Apache-2.0
//
// Peer: the benchmark's service on grpc++'s callback API, as its own guide writes it.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "bench.grpc.pb.h"
#include "bench/peers/grpc_server.h"
#include "bench/server_options.h"

namespace {

using benchpb::Request;
using benchpb::Response;

class Chat final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  Chat() { StartRead(&request_); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    response_.set_payload(request_.payload());
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

  Request request_;
  Response response_;
};

class Download final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit Download(const Request& request) : left_(request.messages()) {
    response_.set_payload(request.payload());
    OnWriteDone(true);
  }

 private:
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    if (left_ == 0) return Finish(grpc::Status::OK);
    --left_;
    StartWrite(&response_);
  }
  void OnDone() override { delete this; }

  uint32_t left_;
  Response response_;
};

class BenchService final : public benchpb::Bench::CallbackService {
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, const Request* request,
                                  Response* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(bench::answer(*request, *response));
    return reactor;
  }
  grpc::ServerBidiReactor<Request, Response>* Chat(grpc::CallbackServerContext* /*context*/) override {
    return new class Chat;
  }
  grpc::ServerWriteReactor<Response>* Download(grpc::CallbackServerContext* /*context*/,
                                               const Request* request) override {
    return new class Download(*request);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const bench::ServerOptions options = bench::parse_server_options(argc, argv);
  BenchService service;
  grpc::ServerBuilder builder;
  int port = 0;
  bench::add_port(builder, options, port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) return 1;
  bench::announce_port(port);
  server->Wait();
}
