// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/rpc_peer.h"

#include <chrono>
#include <utility>

#include "gaggle/cache/rpc_metadata.h"
#include "gaggle/cache/utf8.h"
#include "gaggle/net/address.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/metadata.h"
#include "groupcache.gaggle.h"

namespace gaggle::cache {
namespace {

using namespace std::chrono_literals;

ClientConnOptions options_for_peers(Log log, const ChannelCredentials* credentials) {
  ClientConnOptions options{.credentials = credentials != nullptr ? credentials : insecure_credentials()};
  options.backoff = {.initial = 100ms, .max = 5s, .min_connect_timeout = 2s};
  options.keepalive = {.time = 10s, .timeout = 2s};
  options.log = log;
  return options;
}

class RpcPeer final : public Peer {
 public:
  explicit RpcPeer(std::unique_ptr<ClientConn> conn) : conn_(std::move(conn)), client_(*conn_) {}

  Task<PeerAnswer> get(Context context, std::string_view group, std::string_view key, const Hop& hop) override {
    if (!is_utf8(key)) co_return PeerAnswer{Status::invalid_argument("only keys of UTF-8 travel"), false};
    groupcachepb::Request request;
    request.set_groupname(group.data(), group.size());
    request.set_key(key.data(), key.size());
    groupcachepb::Response response;
    Metadata metadata;
    if (Status status = write_hop(hop, metadata); !status) co_return PeerAnswer{std::move(status), false};
    Metadata trailer;
    const CallOptions options{.metadata = &metadata, .trailer = &trailer};
    Task<Status> calling = client_.Get(std::move(context), request, response, options);
    Status status = co_await std::move(calling);
    if (!status) co_return PeerAnswer{std::move(status), is_authoritative(trailer)};
    co_return PeerAnswer{value_of(response), true};
  }

 private:
  static Value value_of(groupcachepb::Response& response) {
    Value value{Bytes::take(std::move(*response.mutable_value()))};
    if (response.has_ttl_left_ms()) value.expiry = expiry_after(Loop::current()->now(), response.ttl_left_ms());
    return value;
  }

  const std::unique_ptr<ClientConn> conn_;
  groupcachepb::GroupCacheClient client_;
};

}  // namespace

Result<std::shared_ptr<Peer>> RpcPeerFactory::make(const std::string& address) {
  const Result<Address> parsed = Address::parse(address);
  if (!parsed) return parsed.error();
  const bool tcp = parsed->kind == Address::Kind::kTcp;
  if (tcp && parsed->port == 0) return Status::invalid_argument("a peer's port can't be 0");
  const std::string target = tcp ? "dns:///" + address : address;
  Result<std::unique_ptr<ClientConn>> conn = ClientConn::create(loops_, target, options_for_peers(log_, credentials_));
  if (!conn) return conn.error();
  return std::shared_ptr<Peer>(std::make_shared<RpcPeer>(std::move(*conn)));
}

}  // namespace gaggle::cache
