// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "bench.pb.h"
#include "bench/server_options.h"

namespace bench {

// What a unary call of either grpc++ server does.
inline grpc::Status answer(const benchpb::Request& request, benchpb::Response& response) {
  burn(request.burn_us());
  if (request.status() != 0) return {static_cast<grpc::StatusCode>(request.status()), "as asked"};
  response.set_payload(request.payload());
  return grpc::Status::OK;
}

// Has the builder listen, with TLS if files are given; `port` is set when the server starts.
inline void add_port(grpc::ServerBuilder& builder, const ServerOptions& options, int& port) {
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  if (options.tls()) {
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back({read_file(options.key), read_file(options.cert)});
    credentials = grpc::SslServerCredentials(tls);
  }
  builder.AddListeningPort("127.0.0.1:" + std::to_string(options.port), credentials, &port);
}

}  // namespace bench
