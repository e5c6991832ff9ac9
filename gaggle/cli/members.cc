// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/members.h"

#include "gaggle/net/address.h"

namespace gaggle::cli {
namespace {

Result<Address> parse(const std::string& flag, const std::string& text) {
  Result<Address> address = Address::parse(text);
  if (!address) return Status::invalid_argument(flag + ": " + std::string(address.error().message()));
  return address;
}

bool can_be_connected_to(const Address& address) {
  if (address.kind == Address::Kind::kUnix) return true;
  return address.port != 0 && !address.host.empty() && address.host != "0.0.0.0" && address.host != "::";
}

}  // namespace

Result<Members> members_of(const NodeAddresses& addresses) {
  const Result<Address> listen = parse("--listen", addresses.listen);
  if (!listen) return listen.error();
  Members members;
  if (!addresses.self.empty()) {
    const Result<Address> self = parse("--self", addresses.self);
    if (!self) return self.error();
    if (!can_be_connected_to(*self)) {
      return Status::invalid_argument("--self " + addresses.self + " is no address that others can connect to");
    }
  }
  for (const std::string& text : addresses.peers) {
    const Result<Address> peer = parse("--peer", text);
    if (!peer) return peer.error();
    if (!can_be_connected_to(*peer)) {
      return Status::invalid_argument("--peer " + text + " is no address that one can connect to");
    }
  }
  if (addresses.peers.empty()) return members;
  if (addresses.self.empty() && !can_be_connected_to(*listen)) {
    return Status::invalid_argument("--listen " + addresses.listen +
                                    " doesn't say by which address the peers know this node; say --self HOST:PORT");
  }
  members.self = addresses.self.empty() ? addresses.listen : addresses.self;
  members.all = addresses.peers;
  members.all.push_back(members.self);
  return members;
}

std::string with_port(const std::string& listen, uint16_t port) {
  Result<Address> address = Address::parse(listen);
  if (!address || address->kind == Address::Kind::kUnix) return listen;
  address->port = port;
  return address->to_string();
}

}  // namespace gaggle::cli
