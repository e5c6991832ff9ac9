// SPDX-License-Identifier: Apache-2.0
#include "server/load_report_service.h"

#include <algorithm>
#include <chrono>

#include "gaggle/net/sleep.h"

namespace gaggle::interop {

using xds::data::orca::v3::OrcaLoadReport;
using xds::service::orca::v3::OrcaLoadReportRequest;

namespace {

constexpr Duration kShortestInterval = std::chrono::milliseconds{100};
constexpr int64_t kLongestSeconds = 3600;

Duration interval_of(const OrcaLoadReportRequest& request) {
  const auto& asked = request.report_interval();
  const Duration interval = std::chrono::seconds{std::clamp<int64_t>(asked.seconds(), 0, kLongestSeconds)} +
                            std::chrono::nanoseconds{asked.nanos()};
  return std::max(interval, kShortestInterval);
}

}  // namespace

Task<Status> LoadReportService::StreamCoreMetrics(ServerContext& context, const OrcaLoadReportRequest& request,
                                                  ServerStreamingServer<OrcaLoadReport>& reports) {
  const Duration interval = interval_of(request);
  for (;;) {
    const OrcaLoadReport report = load_.get();
    Task<Status> sending = reports.send(report);
    Status sent = co_await std::move(sending);
    if (!sent) co_return sent;
    auto pause = sleep_for(context.loop(), interval);
    Status slept = co_await pause;
    if (!slept) co_return slept;
  }
}

}  // namespace gaggle::interop
