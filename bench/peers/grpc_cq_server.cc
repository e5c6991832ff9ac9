// SPDX-License-Identifier: Apache-2.0
//
// Peer: the benchmark's service on grpc++'s asynchronous API, a completion queue per thread. Enough calls are
// posted on each queue that a burst of 10x100 finds one waiting.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/answer.h"
#include "bench/server_options.h"
#include "groupcache.grpc.pb.h"

namespace {

using AsyncService = groupcachepb::GroupCache::AsyncService;

constexpr int kPostedCalls = 1000;

// One call, and the tag of its events. It deletes itself when the answer has been sent.
class Call {
 public:
  Call(AsyncService& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue), responder_(&context_) {
    service_.RequestGet(&context_, &request_, &responder_, &queue_, &queue_, this);
  }

  void proceed(bool ok) {
    if (answered_ || !ok) {
      delete this;
      return;
    }
    new Call(service_, queue_);  // takes this one's place in the queue
    answered_ = true;
    groupcachepb::Response response;
    response.set_value(bench::kAnswer.data(), bench::kAnswer.size());
    responder_.Finish(response, grpc::Status::OK, this);
  }

 private:
  AsyncService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  groupcachepb::Request request_;
  grpc::ServerAsyncResponseWriter<groupcachepb::Response> responder_;
  bool answered_ = false;
};

void serve(AsyncService& service, grpc::ServerCompletionQueue& queue) {
  for (int i = 0; i < kPostedCalls; ++i) new Call(service, queue);
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) static_cast<Call*>(tag)->proceed(ok);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::ServerOptions options = bench::parse_server_options(argc, argv);
  AsyncService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(options.port), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
  for (int i = 0; i < options.threads; ++i) queues.push_back(builder.AddCompletionQueue());
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) return 1;
  std::vector<std::jthread> threads;
  for (auto& queue : queues) threads.emplace_back([&service, &queue] { serve(service, *queue); });
  bench::announce_port(port);
}
