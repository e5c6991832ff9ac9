// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "gaggle/base/log.h"
#include "gaggle/cache/peer.h"

namespace gaggle {
class ChannelCredentials;
class LoopGroup;
}  // namespace gaggle

namespace gaggle::cache {

// Reaches other nodes by gRPC, as `groupcachepb.GroupCache/Get`.
//
// Each peer has one connection, which is opened at the first question and kept; it notices a node
// that stopped answering, and tries again soon, since nodes come back. A question never waits for
// a connection that is known to be broken. `loops` outlives the cache that owns the factory.
//
// What a question carries besides the request, as metadata (see rpc_service.h for the other side):
//   gaggle-from    the asking node's own address
//   gaggle-epoch   the version of its slot table, hexadecimal
//   gaggle-hops    how often the request was forwarded, decimal
// An answer is the owner's word if it's a value, or an error with the trailer `gaggle-answer: 1`.
class RpcPeerFactory final : public PeerFactory {
 public:
  // Null credentials: plain text. They outlive the factory's peers.
  explicit RpcPeerFactory(LoopGroup& loops, Log log = {}, const ChannelCredentials* credentials = nullptr)
      : loops_(loops), log_(log), credentials_(credentials) {}
  // INVALID_ARGUMENT for what is no "host:port" or "unix:path".
  Result<std::shared_ptr<Peer>> make(const std::string& address) override;

 private:
  LoopGroup& loops_;
  const Log log_;
  const ChannelCredentials* const credentials_;
};

}  // namespace gaggle::cache
