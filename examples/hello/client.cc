// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"
#include "hello.gaggle.h"

using namespace gaggle;

int main(int argc, char** argv) {
  LoopGroup loops(1);
  auto conn = ClientConn::create(loops, argc > 1 ? argv[1] : "127.0.0.1:50051");
  if (!conn) return 1;
  hello::GreeterClient greeter(**conn);

  hello::HelloRequest request;
  hello::HelloReply reply;
  request.set_name(argc > 2 ? argv[2] : "world");
  Context context = Context().with_timeout(std::chrono::seconds(5));
  Status status = greeter.BlockingSayHello(context, request, reply);
  std::cout << (status ? reply.message() : status.to_string()) << "\n";
  return status ? 0 : 1;
}
