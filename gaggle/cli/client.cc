// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/client.h"

#include <iostream>
#include <utility>

#include "gaggle/cli/command.h"
#include "gaggle/cli/printable.h"
#include "gaggle/cli/units.h"
#include "gaggle/net/address.h"

namespace gaggle::cli {

Result<std::unique_ptr<Client>> Client::create(const std::string& server, const std::string& timeout,
                                               const TlsFlags& tls) {
  const Result<Duration> time = parse_duration(timeout);
  if (!time) return Status::invalid_argument("--timeout: " + std::string(time.error().message()));
  const Result<Address> address = Address::parse(server);
  if (!address) return Status::invalid_argument("--server: " + std::string(address.error().message()));
  Result<std::unique_ptr<TlsChannelCredentials>> credentials = tls.credentials();
  if (!credentials) return credentials.error();
  std::unique_ptr<Client> client(new Client);
  client->tls_ = *std::move(credentials);
  ClientConnOptions options{.credentials = insecure_credentials()};
  if (client->tls_ != nullptr) options.credentials = client->tls_.get();
  const std::string target = address->kind == Address::Kind::kTcp ? "dns:///" + server : server;
  Result<std::unique_ptr<ClientConn>> conn = ClientConn::create(client->loops_, target, std::move(options));
  if (!conn) return conn.error();
  client->conn_ = *std::move(conn);
  client->context_ = Context().with_timeout(*time);
  return client;
}

int fail(const Status& status) {
  std::cerr << "gaggle: " << printable(status.to_string()) << '\n';
  return kExitError;
}

}  // namespace gaggle::cli
