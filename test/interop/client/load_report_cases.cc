// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>

#include "client/cases.h"
#include "client/expect.h"
#include "client/stream_steps.h"
#include "server/load_report.h"
#include "xds/service/orca/v3/orca.gaggle.h"

namespace gaggle::interop {
namespace {

using grpc::testing::TestOrcaReport;
using xds::data::orca::v3::OrcaLoadReport;
using xds::service::orca::v3::OrcaLoadReportRequest;
using ReportStream = ServerStreamingClient<OrcaLoadReport>;

// Maps have no order, so the numbers are compared one by one.
Status expect_report(const OrcaLoadReport& got, const TestOrcaReport& wanted) {
  const OrcaLoadReport same = load_report_of(wanted);
  const auto equal = [](const auto& a, const auto& b) {
    if (a.size() != b.size()) return false;
    for (const auto& [name, value] : a) {
      if (const auto found = b.find(name); found == b.end() || found->second != value) return false;
    }
    return true;
  };
  if (got.cpu_utilization() == same.cpu_utilization() && got.mem_utilization() == same.mem_utilization() &&
      equal(got.request_cost(), same.request_cost()) && equal(got.utilization(), same.utilization())) {
    return {};
  }
  return unmet("the report is " + got.ShortDebugString() + ", not " + same.ShortDebugString());
}

Task<Status> orca_per_rpc(Session& session) {
  grpc::testing::SimpleRequest request;
  TestOrcaReport& told = *request.mutable_orca_per_query_report();
  told.set_cpu_utilization(0.8210);
  told.set_memory_utilization(0.5847);
  (*told.mutable_request_cost())["cost"] = 3456.32;
  (*told.mutable_utilization())["util"] = 0.30499;
  grpc::testing::SimpleResponse response;
  Metadata trailer;
  const CallOptions options{.trailer = &trailer};
  Task<Status> calling = session.tests().UnaryCall(session.context(), request, response, options);
  const Status status = co_await std::move(calling);
  if (!status) co_return expect_ok("UnaryCall", status);
  const auto encoded = trailer.get(kLoadReportKey);
  if (!encoded) co_return unmet("no load report in the trailer");
  OrcaLoadReport report;
  if (!report.ParseFromString(std::string(*encoded))) co_return unmet("the load report can't be read");
  co_return expect_report(report, told);
}

// Tells the server its load, and waits for the answer that says that it knows.
Task<Status> tell(DuplexStream& stream, const TestOrcaReport& load) {
  OutputRequest request;
  *request.mutable_orca_oob_report() = load;
  request.add_response_parameters()->set_size(1);
  Task<Status> sending = send(stream, request);
  Status sent = co_await std::move(sending);
  if (!sent) co_return sent;
  OutputResponse response;
  Task<Result<bool>> receiving = stream.recv(response);
  const Result<bool> more = co_await std::move(receiving);
  if (!more) co_return more.error();
  co_return *more ? Status::ok() : unmet("the call ended early");
}

// Reads reports until one is as told; a report that was on its way is older. The stream's deadline ends it.
Task<Status> await_report(ReportStream& reports, const TestOrcaReport& wanted) {
  for (;;) {
    OrcaLoadReport report;
    Task<Result<bool>> receiving = reports.recv(report);
    const Result<bool> more = co_await std::move(receiving);
    if (!more) co_return expect_ok("StreamCoreMetrics", more.error());
    if (!*more) co_return unmet("the reports ended");
    if (expect_report(report, wanted)) co_return Status::ok();
  }
}

Task<Status> orca_oob(Session& session) {
  Task<Result<DuplexStream>> opening = session.tests().FullDuplexCall(session.context());
  Result<DuplexStream> stream = co_await std::move(opening);
  if (!stream) co_return expect_ok("FullDuplexCall", stream.error());
  OrcaLoadReportRequest every_second;
  every_second.mutable_report_interval()->set_seconds(1);
  xds::service::orca::v3::OpenRcaServiceClient loads(session.conn());
  Task<Result<ReportStream>> asking = loads.StreamCoreMetrics(session.context(), every_second);
  Result<ReportStream> reports = co_await std::move(asking);
  if (!reports) co_return expect_ok("StreamCoreMetrics", reports.error());
  constexpr double kLoads[][3] = {{0.8210, 0.5847, 0.30499}, {0.29309, 0.2, 0.2039}};
  for (const auto& [cpu, memory, util] : kLoads) {
    TestOrcaReport load;
    load.set_cpu_utilization(cpu);
    load.set_memory_utilization(memory);
    (*load.mutable_utilization())["util"] = util;
    Task<Status> telling = tell(*stream, load);
    const Status told = co_await std::move(telling);
    if (!told) co_return expect_ok("FullDuplexCall", told);
    Task<Status> waiting = await_report(*reports, load);
    Status reported = co_await std::move(waiting);
    if (!reported) co_return reported;
  }
  co_return Status::ok();
}

constexpr Case kCases[] = {{"orca_per_rpc", orca_per_rpc}, {"orca_oob", orca_oob}};

}  // namespace

std::span<const Case> load_report_cases() { return kCases; }

}  // namespace gaggle::interop
