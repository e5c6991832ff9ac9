// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include <memory>
#include <string>
#include <vector>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/net/task.h"
#include "gaggle/rpc/client_conn_interface.h"

namespace gaggle {

struct ReflectionClientOptions {
  // What a server may send to describe one symbol; beyond: RESOURCE_EXHAUSTED.
  size_t max_files = 10'000;
  size_t max_bytes = 64u << 20;
  const Metadata* metadata = nullptr;  // sent with every call; outlives the client
};

// Asks a server what it serves, over its reflection service, v1 or else v1alpha.
//
// Descriptors live in a pool of the client's own, and as long as it. Each function is one call;
// UNIMPLEMENTED, with a message that says so, when the server has no reflection. What a server sends
// is checked as a compiler would check it: DATA_LOSS when it makes no sense.
// Threads: one call at a time. `conn` outlives it.
//
//   ReflectionClient client(conn);
//   auto service = co_await client.find_service(context, "scores.Scores");
//   if (service) for (int i = 0; i < (*service)->method_count(); ++i) show((*service)->method(i)->name());
class ReflectionClient {
 public:
  using ServiceDescriptor = google::protobuf::ServiceDescriptor;

  explicit ReflectionClient(ClientConnInterface& conn, ReflectionClientOptions options = {});
  ~ReflectionClient();
  ReflectionClient(const ReflectionClient&) = delete;
  ReflectionClient& operator=(const ReflectionClient&) = delete;

  Task<Result<std::vector<std::string>>> list_services(Context context);
  // By its full name. NOT_FOUND when the server doesn't describe it, or it's something else.
  Task<Result<const ServiceDescriptor*>> find_service(Context context, std::string name);
  Task<Result<const google::protobuf::Descriptor*>> find_message(Context context, std::string name);

  // Everything that was found.
  const google::protobuf::DescriptorPool& pool() const noexcept;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle
