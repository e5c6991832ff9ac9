// SPDX-License-Identifier: Apache-2.0
//
// Peer: examples/hello/server.cc on grpc++'s callback API, as its own guide writes it; only its size is measured.

#include <grpcpp/grpcpp.h>

#include <iostream>
#include <memory>

#include "hello.grpc.pb.h"

class Greeter final : public hello::Greeter::CallbackService {
  grpc::ServerUnaryReactor* SayHello(grpc::CallbackServerContext* context, const hello::HelloRequest* request,
                                     hello::HelloReply* reply) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    if (request->name().empty()) {
      reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, "whom shall I greet?"});
      return reactor;
    }
    reply->set_message("Hello, " + request->name() + "!");
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

int main(int argc, char** argv) {
  Greeter greeter;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(argc > 1 ? argv[1] : "127.0.0.1:50051", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&greeter);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) return 1;
  std::cout << "listening on port " << port << std::endl;
  server->Wait();
}
