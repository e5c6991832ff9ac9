// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include "gaggle/base/result.h"
#include "gaggle/net/address.h"

namespace gaggle {

// An Address in the form that the system takes.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  // Numeric hosts, "localhost" (127.0.0.1), the empty host (every address) and unix paths;
  // INVALID_ARGUMENT for names and for paths that are too long. Never blocks.
  static Result<SocketAddress> of(const Address& address);
  static SocketAddress local_of(int socket) noexcept;
  static SocketAddress peer_of(int socket) noexcept;

  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const noexcept { return storage.ss_family; }
  // The numeric form; an empty TCP address for a family that isn't ours.
  Address to_address() const;
};

}  // namespace gaggle
