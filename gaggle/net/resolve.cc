// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/resolve.h"

#include <asio/ip/tcp.hpp>

#include "gaggle/net/loop.h"
#include "gaggle/net/use_task.h"

namespace gaggle {

Task<Result<std::vector<Address>>> resolve(Loop& loop, std::string host, uint16_t port) {
  const Address asked = Address::tcp(host, port);
  if (asked.is_numeric()) co_return std::vector<Address>{asked};

  const Context& context = co_await current_context();
  asio::ip::basic_resolver<asio::ip::tcp, Loop::Executor> resolver(loop.executor());
  const std::string service = std::to_string(port);
  auto [error, found] =
      co_await resolver.async_resolve(host, service, asio::ip::resolver_base::numeric_service, use_task);
  if (context.cancelled()) co_return context.status();
  if (error) co_return Status::unavailable("DNS look-up of " + host + " failed: " + error.message());

  std::vector<Address> addresses;
  for (const auto& entry : found) {
    addresses.push_back(Address::tcp(entry.endpoint().address().to_string(), entry.endpoint().port()));
  }
  if (addresses.empty()) co_return Status::unavailable("DNS knows no address of " + host);
  co_return addresses;
}

}  // namespace gaggle
