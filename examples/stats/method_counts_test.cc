// SPDX-License-Identifier: Apache-2.0
//
// A client and a server that share one table of counts, over real sockets.
#include "method_counts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/server.h"
#include "hello.gaggle.h"

namespace gaggle {
namespace {

class Greeter final : public hello::UnimplementedGreeterServer {
  Task<Status> SayHello(ServerContext&, const hello::HelloRequest& request, hello::HelloReply& reply) override {
    if (request.name().empty()) co_return Status::invalid_argument("whom shall I greet?");
    reply.set_message("Hello, " + request.name() + "!");
    co_return Status::ok();
  }
};

TEST(MethodCountsExample, is_as_short_as_promised) {
  int lines = 0;
  for (const char* name : {"/method_counts.h", "/method_counts.cc"}) {
    std::ifstream file(std::string(GAGGLE_STATS_SOURCES) + name);
    ASSERT_TRUE(file.is_open()) << name;
    for (std::string line; std::getline(file, line);) ++lines;
  }
  EXPECT_LT(lines, 100);
}

TEST(MethodCountsExample, one_line_per_method_and_side) {
  const auto counts = std::make_shared<MethodCounts>();
  Greeter greeter;
  {
    LoopGroup server_loops(2);
    LoopGroup client_loops(1);
    auto server = *Server::create(server_loops, {.stats_handlers = {counts}});
    ASSERT_TRUE(hello::RegisterGreeterServer(*server, greeter).is_ok());
    auto conn = *ClientConn::create(client_loops, "127.0.0.1:" + std::to_string(*server->listen("127.0.0.1:0")),
                                    {.credentials = insecure_credentials(), .stats_handlers = {counts}});
    hello::GreeterClient client(*conn);
    std::vector<std::thread> callers;
    std::atomic<int> well{0};
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&, i] {
        hello::HelloRequest request;
        hello::HelloReply reply;
        if (i != 0) request.set_name("Tom");
        if (client.BlockingSayHello(Context(), request, reply)) ++well;
      });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(well, 3);
    const Bytes request;
    Bytes reply;
    const Status status =
        generated::call_blocking(*conn, Context(), "/a.Stranger/Knocks", message_of(request), message_of(reply), {});
    EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  }
  std::ostringstream out;
  counts->print(out);
  // "Tom" is a message of 5 bytes, "Hello, Tom!" one of 13; 5 more are gRPC's prefix.
  EXPECT_EQ(out.str(),
            "client /a.Stranger/Knocks calls 1 errors 1 sent 5 received 0 bytes\n"
            "client /hello.Greeter/SayHello calls 4 errors 1 sent 35 received 54 bytes\n"
            "server (other) calls 1 errors 1 sent 0 received 0 bytes\n"
            "server /hello.Greeter/SayHello calls 4 errors 1 sent 54 received 35 bytes\n");
}

}  // namespace
}  // namespace gaggle
