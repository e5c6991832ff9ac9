// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/server.h"
#include "hello.gaggle.h"

using namespace gaggle;

class Greeter final : public hello::UnimplementedGreeterServer {
  Task<Status> SayHello(ServerContext&, const hello::HelloRequest& request, hello::HelloReply& reply) override {
    if (request.name().empty()) co_return Status::invalid_argument("whom shall I greet?");
    reply.set_message("Hello, " + request.name() + "!");
    co_return Status::ok();
  }
};

int main(int argc, char** argv) {
  LoopGroup loops(1);
  Greeter greeter;
  auto server = Server::create(loops);
  if (!server) return 1;
  Status status = hello::RegisterGreeterServer(**server, greeter);
  Result<uint16_t> port = (*server)->listen(argc > 1 ? argv[1] : "127.0.0.1:50051");
  if (!status || !port) {
    std::cerr << (status ? port.error() : status).to_string() << "\n";
    return 1;
  }
  std::cout << "listening on port " << *port << std::endl;
  return (*server)->wait() ? 0 : 1;
}
