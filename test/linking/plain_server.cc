// SPDX-License-Identifier: Apache-2.0
//
// A server as it comes, without encryption.
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/server.h"

int main() {
  gaggle::LoopGroup loops(1);
  const auto server = gaggle::Server::create(loops);
  return server && (*server)->listen("127.0.0.1:0") ? 0 : 1;
}
