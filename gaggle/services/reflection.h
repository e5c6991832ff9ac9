// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "gaggle/base/status.h"

namespace google::protobuf {
class DescriptorPool;
}

namespace gaggle {

class ServiceRegistrar;

struct ReflectionOptions {
  // Asked before protobuf's pool of generated messages, in order; for services whose descriptors were
  // made at run time. Each outlives the server.
  std::vector<const google::protobuf::DescriptorPool*> pools = {};
};

// Tells clients that have no .proto files, such as grpcurl or `gaggle call`, what a server serves:
// grpc.reflection.v1.ServerReflection, and v1alpha, which is the same under its old name.
//
// It lists what is registered with the server, itself included, whether before or after it. A file
// comes with everything it imports, each file once per stream. Services of lite messages or without
// descriptors are listed, but can't be described.
// What isn't found is NOT_FOUND in an error response, and the stream goes on; a request that asks for
// nothing ends the stream with INVALID_ARGUMENT.
// Threads: any. Outlives the server that it's registered with.
//
// The messages are generated code, as grpc++'s reflection library has them: a program can link the one
// or the other.
//
//   ReflectionServer reflection;
//   Status status = reflection.register_with(**server);
class ReflectionServer {
 public:
  explicit ReflectionServer(ReflectionOptions options = {});
  ~ReflectionServer();
  ReflectionServer(const ReflectionServer&) = delete;
  ReflectionServer& operator=(const ReflectionServer&) = delete;

  // Both versions. As ServiceRegistrar::register_service.
  Status register_with(ServiceRegistrar& registrar);

 private:
  struct Services;
  const std::unique_ptr<Services> services_;
};

}  // namespace gaggle
