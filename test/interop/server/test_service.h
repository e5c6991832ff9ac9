// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "grpc/testing/test.gaggle.h"
#include "server/load_report.h"

namespace gaggle::interop {

// grpc.testing.TestService, with every server feature of gRPC's interoperability description that
// needs no account in a cloud.
class TestService final : public grpc::testing::UnimplementedTestServiceServer {
 public:
  using SimpleRequest = grpc::testing::SimpleRequest;
  using SimpleResponse = grpc::testing::SimpleResponse;
  using OutputRequest = grpc::testing::StreamingOutputCallRequest;
  using OutputResponse = grpc::testing::StreamingOutputCallResponse;
  using InputRequest = grpc::testing::StreamingInputCallRequest;
  using InputResponse = grpc::testing::StreamingInputCallResponse;

  // `load` gets what clients want reported beside calls; `server_id` is what fill_server_id fills in.
  TestService(ServerLoad& load, std::string server_id) : load_(load), server_id_(std::move(server_id)) {}

  Task<Status> EmptyCall(ServerContext& context, const grpc::testing::Empty& request,
                         grpc::testing::Empty& response) override;
  Task<Status> UnaryCall(ServerContext& context, const SimpleRequest& request, SimpleResponse& response) override;
  Task<Status> CacheableUnaryCall(ServerContext& context, const SimpleRequest& request,
                                  SimpleResponse& response) override;
  Task<Status> StreamingOutputCall(ServerContext& context, const OutputRequest& request,
                                   ServerStreamingServer<OutputResponse>& responses) override;
  Task<Status> StreamingInputCall(ServerContext& context, ClientStreamingServer<InputRequest>& requests,
                                  InputResponse& response) override;
  Task<Status> FullDuplexCall(ServerContext& context,
                              BidiStreamingServer<OutputRequest, OutputResponse>& stream) override;
  Task<Status> HalfDuplexCall(ServerContext& context,
                              BidiStreamingServer<OutputRequest, OutputResponse>& stream) override;

 private:
  ServerLoad& load_;
  const std::string server_id_;
};

}  // namespace gaggle::interop
