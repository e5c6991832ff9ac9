// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"
#include "hello.gaggle.h"

using namespace gaggle;

Task<Status> greet(hello::GreeterClientInterface& greeter, const char* whom) {
  Context context;
  hello::HelloRequest request;
  hello::HelloReply reply;
  request.set_name(whom);
  Status status = co_await greeter.SayHello(context.with_timeout(std::chrono::seconds{5}), request, reply);
  std::cout << (status ? reply.message() : status.to_string()) << "\n";
  co_return status;
}

int main(int argc, char** argv) {
  LoopGroup loops(1);
  auto conn =
      ClientConn::create(loops, argc > 1 ? argv[1] : "127.0.0.1:50051", {.credentials = insecure_credentials()});
  if (!conn) return 1;
  hello::GreeterClient greeter(**conn);
  return block_on(loops.next(), greet(greeter, argc > 2 ? argv[2] : "world")) ? 0 : 1;
}
