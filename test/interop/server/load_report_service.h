// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/load_report.h"
#include "xds/service/orca/v3/orca.gaggle.h"

namespace gaggle::interop {

// Sends the server's load at the interval that the client asks for, at most ten times a second.
class LoadReportService final : public xds::service::orca::v3::UnimplementedOpenRcaServiceServer {
 public:
  explicit LoadReportService(const ServerLoad& load) : load_(load) {}

  Task<Status> StreamCoreMetrics(ServerContext& context, const xds::service::orca::v3::OrcaLoadReportRequest& request,
                                 ServerStreamingServer<xds::data::orca::v3::OrcaLoadReport>& reports) override;

 private:
  const ServerLoad& load_;
};

}  // namespace gaggle::interop
