// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/codec.h"
#include "gaggle/rpc/server.h"
#include "proxy.h"

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: gaggle_proxy LISTEN BACKEND\n", 2;
  gaggle::LoopGroup loops(1);
  auto backend = gaggle::ClientConn::create(loops, argv[2], {.credentials = gaggle::insecure_credentials()});
  if (!backend) return std::cerr << backend.error().to_string() << "\n", 1;
  Proxy proxy(**backend);
  auto server = gaggle::Server::create(loops, {.unknown_service = &proxy, .codec = &gaggle::bytes_codec()});
  auto port = (*server)->listen(argv[1]);
  if (!port) return std::cerr << port.error().to_string() << "\n", 1;
  std::cout << "listening on port " << *port << std::endl;
  return (*server)->wait() ? 0 : 1;
}
