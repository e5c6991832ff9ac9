// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/result.h"
#include "gaggle/rpc/client_dialer.h"

namespace gaggle {

// An HTTP proxy that opens tunnels, and whom it isn't for. gRFC A1.
struct HttpProxy {
  Address address;                       // of the proxy
  std::string authorization = {};        // value of `proxy-authorization`; empty: none
  std::vector<std::string> exempt = {};  // hosts that are reached without it; see is_for()

  // "http://user:password@proxy.example:3128", scheme and user optional, port 80 if absent; user and
  // password may be percent-encoded, and have no control characters, the user no colon (RFC 7617).
  // INVALID_ARGUMENT for anything else: the way to the proxy itself is always plain.
  static Result<HttpProxy> parse(std::string_view url);

  // What the program's surroundings say: the first of grpc_proxy, https_proxy and http_proxy that is set,
  // and no_grpc_proxy or no_proxy, a list with commas. None: nullopt. Nothing reads the environment
  // unless this is called. `variable` replaces the environment, for tests.
  static Result<std::optional<HttpProxy>> from_environment(
      const std::function<const char*(const char* name)>& variable = {});

  // False for unix paths and exempt hosts. "*" is everybody; "example.com", ".example.com" and
  // "*.example.com" are that domain and all below; "10.0.0.7" and "fd00::7" are these addresses, in
  // whatever form the host writes them; "10.0.0.0/8" and "fd00::/8" are ranges (RFC 4632), of hosts that
  // are addresses in numbers. Case doesn't matter; what is nothing of these exempts nobody.
  bool is_for(const Address& address) const;
};

// Reaches addresses through a proxy's CONNECT: ClientConnOptions::dialer. TLS, if there is any, is spoken
// with the server, through the tunnel.
//
// With a target such as "passthrough:///scores.example:443" the proxy resolves the name; with dns: it's
// resolved here, and the proxy is told an address. Errors are UNAVAILABLE with the proxy's own words.
// Used by any number of connections at once.
//
//   HttpProxyDialer dialer(*HttpProxy::parse("http://proxy.example:3128"));
//   auto conn = ClientConn::create(loops, "passthrough:///scores.example:443",
//                                  {.credentials = &tls, .dialer = &dialer});
class HttpProxyDialer final : public Dialer {
 public:
  // `below` reaches the proxy, and what is exempt; null: sockets. It outlives this object.
  explicit HttpProxyDialer(HttpProxy proxy, Dialer* below = nullptr);

  Task<Result<std::unique_ptr<ByteStream>>> dial(Loop& loop, Address address, Context context) override;

 private:
  Task<Result<std::unique_ptr<ByteStream>>> reach(Loop& loop, Address address, Context context);
  Task<Result<std::unique_ptr<ByteStream>>> tunnel(Loop& loop, Address address, Context context);

  const HttpProxy proxy_;
  Dialer* const below_;
};

}  // namespace gaggle
