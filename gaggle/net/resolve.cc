// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/resolve.h"

#include <utility>

#include "gaggle/net/dns.h"
#include "gaggle/net/loop.h"

namespace gaggle {

Task<Result<std::vector<Address>>> resolve(Loop& loop, std::string host, uint16_t port) {
  const Address asked = Address::tcp(host, port);
  if (asked.is_numeric()) co_return std::vector<Address>{asked};
  DnsQuery query;
  query.host = std::move(host);
  query.port = port;
  Task<Result<DnsAnswer>> asking = ask_dns(loop, std::move(query));
  Result<DnsAnswer> answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  co_return std::move(answer->addresses);
}

}  // namespace gaggle
