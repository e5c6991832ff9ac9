// SPDX-License-Identifier: Apache-2.0
//
// A server with TLS; without certificates it refuses to begin, which is another test's concern.
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/credentials/tls.h"
#include "gaggle/rpc/server.h"

int main() {
  gaggle::LoopGroup loops(1);
  const auto tls = gaggle::TlsServerCredentials::create({});
  const auto server = gaggle::Server::create(loops);
  return server && tls && (*server)->listen("127.0.0.1:0", **tls) ? 0 : 1;
}
