// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "gaggle/base/status.h"

namespace gaggle {

class ServiceRegistrar;

// Whether a service takes calls, with the numbers of grpc.health.v1.
enum class ServingStatus : uint8_t {
  kUnknown = 0,
  kServing = 1,
  kNotServing = 2,
  kServiceUnknown = 3,  // there is no such service, yet
};

struct HealthOptions {
  // Watch calls at once; beyond: RESOURCE_EXHAUSTED. Each keeps a name and one status.
  size_t max_watchers = 10'000;
};

// Tells clients and load balancers whether services take calls: the service grpc.health.v1.Health.
//
// The name "" stands for the server as a whole and is kServing at first; other names have the status
// that was set, by convention "package.Service".
//   Check   the status of a name; NOT_FOUND if it has none
//   Watch   the status now, kServiceUnknown if there is none, and again when it has changed. A client
//           that reads slowly misses what was replaced meanwhile, never the latest
//   List    all of them (gRFC A90); RESOURCE_EXHAUSTED when there are more than 100
// Names longer than 1 KiB are INVALID_ARGUMENT.
// Threads: any. Outlives the server that it's registered with.
//
//   HealthServer health;
//   Status status = health.register_with(**server);
//   health.set("scores.Scores", ServingStatus::kServing);
//   …
//   health.end();               // so that clients look elsewhere, and nobody watches any more
//   (*server)->shutdown();
class HealthServer {
 public:
  explicit HealthServer(HealthOptions options = {});
  ~HealthServer();
  HealthServer(const HealthServer&) = delete;
  HealthServer& operator=(const HealthServer&) = delete;

  // As ServiceRegistrar::register_service.
  Status register_with(ServiceRegistrar& registrar);

  // kServiceUnknown forgets the service. Ignored between shutdown and resume.
  void set(std::string_view service, ServingStatus status);
  // Nothing for a name that has no status.
  std::optional<ServingStatus> status(std::string_view service) const;
  // Everything is kNotServing, and set() does nothing until resume.
  void shutdown();
  // Everything is kServing.
  void resume();
  // shutdown() for good: Watch calls, which would hold up the server's own shutdown, tell the last
  // status and end with UNAVAILABLE, as later ones do.
  void end();

 private:
  class State;
  class HealthService;
  const std::shared_ptr<State> state_;  // shared with the watchers
  const std::unique_ptr<HealthService> service_;
};

}  // namespace gaggle
