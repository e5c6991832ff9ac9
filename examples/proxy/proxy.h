// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/rpc/client_conn_interface.h"
#include "gaggle/rpc/service.h"

// Passes every call on to one backend, knowing nothing of services: messages as bytes, whatever their
// codec, metadata, deadline, cancellation and status in both directions. For a server with
// ServerOptions::unknown_service and the codec bytes_codec().
class Proxy final : public gaggle::StreamHandler {
 public:
  explicit Proxy(gaggle::ClientConnInterface& backend) : backend_(backend) {}
  gaggle::Task<gaggle::Status> operator()(gaggle::ServerStream& client) override;

 private:
  gaggle::ClientConnInterface& backend_;
};
