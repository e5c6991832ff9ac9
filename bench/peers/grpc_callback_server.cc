// SPDX-License-Identifier: Apache-2.0
//
// Peer: the benchmark's service on grpc++'s callback API, as its own guide writes it.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "bench/answer.h"
#include "bench/server_options.h"
#include "groupcache.grpc.pb.h"

namespace {

class AnswerService final : public groupcachepb::GroupCache::CallbackService {
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const groupcachepb::Request* /*request*/,
                                groupcachepb::Response* response) override {
    response->set_value(bench::kAnswer.data(), bench::kAnswer.size());
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const bench::ServerOptions options = bench::parse_server_options(argc, argv);
  AnswerService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(options.port), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) return 1;
  bench::announce_port(port);
  server->Wait();
}
