// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>

#include "grpc/testing/messages.pb.h"
#include "xds/data/orca/v3/orca_load_report.pb.h"

namespace gaggle::interop {

// The trailer in which a call's load report travels (gRFC A51).
inline constexpr std::string_view kLoadReportKey = "endpoint-load-metrics-bin";

inline xds::data::orca::v3::OrcaLoadReport load_report_of(const grpc::testing::TestOrcaReport& told) {
  xds::data::orca::v3::OrcaLoadReport report;
  report.set_cpu_utilization(told.cpu_utilization());
  report.set_mem_utilization(told.memory_utilization());
  report.mutable_request_cost()->insert(told.request_cost().begin(), told.request_cost().end());
  report.mutable_utilization()->insert(told.utilization().begin(), told.utilization().end());
  return report;
}

// What the server says of its load when it isn't about one call: whatever a client told it last.
// Thread-safe.
class ServerLoad {
 public:
  void set(xds::data::orca::v3::OrcaLoadReport report) {
    const std::lock_guard lock(mutex_);
    report_ = std::move(report);
  }
  xds::data::orca::v3::OrcaLoadReport get() const {
    const std::lock_guard lock(mutex_);
    return report_;
  }

 private:
  mutable std::mutex mutex_;
  xds::data::orca::v3::OrcaLoadReport report_;
};

}  // namespace gaggle::interop
