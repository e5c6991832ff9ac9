// SPDX-License-Identifier: Apache-2.0
//
// Peer: the benchmark's service on grpc++'s asynchronous API, a completion queue per thread. Enough calls are
// posted on each queue that a burst of 10x100 finds one waiting.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <thread>
#include <vector>

#include "bench.grpc.pb.h"
#include "bench/peers/grpc_server.h"
#include "bench/server_options.h"

namespace {

using benchpb::Request;
using benchpb::Response;
using AsyncService = benchpb::Bench::AsyncService;

constexpr int kPostedCalls = 1000;
constexpr int kPostedStreams = 100;

// A call, and the tag of its events, one event at a time. It deletes itself when it has ended.
class Call {
 public:
  virtual ~Call() = default;
  virtual void proceed(bool ok) = 0;
};

class UnaryCall final : public Call {
 public:
  UnaryCall(AsyncService& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue), responder_(&context_) {
    service_.RequestUnary(&context_, &request_, &responder_, &queue_, &queue_, this);
  }

  void proceed(bool ok) override {
    if (answered_ || !ok) {
      delete this;
      return;
    }
    new UnaryCall(service_, queue_);  // takes this one's place in the queue
    answered_ = true;
    Response response;
    const grpc::Status status = bench::answer(request_, response);
    if (status.ok()) {
      responder_.Finish(response, status, this);
    } else {
      responder_.FinishWithError(status, this);
    }
  }

 private:
  AsyncService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  Request request_;
  grpc::ServerAsyncResponseWriter<Response> responder_;
  bool answered_ = false;
};

class ChatCall final : public Call {
 public:
  ChatCall(AsyncService& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue), stream_(&context_) {
    service_.RequestChat(&context_, &stream_, &queue_, &queue_, this);
  }

  void proceed(bool ok) override {
    if (state_ == State::kEnding || (state_ == State::kWaiting && !ok)) {
      delete this;
    } else if (!ok) {
      state_ = State::kEnding;
      stream_.Finish(grpc::Status::OK, this);
    } else if (state_ == State::kReading) {
      state_ = State::kWriting;
      response_.set_payload(request_.payload());
      stream_.Write(response_, this);
    } else {
      if (state_ == State::kWaiting) new ChatCall(service_, queue_);
      state_ = State::kReading;
      stream_.Read(&request_, this);
    }
  }

 private:
  enum class State { kWaiting, kReading, kWriting, kEnding };
  AsyncService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  Request request_;
  Response response_;
  grpc::ServerAsyncReaderWriter<Response, Request> stream_;
  State state_ = State::kWaiting;
};

class DownloadCall final : public Call {
 public:
  DownloadCall(AsyncService& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue), writer_(&context_) {
    service_.RequestDownload(&context_, &request_, &writer_, &queue_, &queue_, this);
  }

  void proceed(bool ok) override {
    if (ending_ || (!begun_ && !ok)) {
      delete this;
      return;
    }
    if (!begun_) {
      new DownloadCall(service_, queue_);
      begun_ = true;
      left_ = request_.messages();
      response_.set_payload(request_.payload());
    }
    if (!ok || left_ == 0) {
      ending_ = true;
      writer_.Finish(grpc::Status::OK, this);
    } else {
      --left_;
      writer_.Write(response_, this);
    }
  }

 private:
  AsyncService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  Request request_;
  Response response_;
  grpc::ServerAsyncWriter<Response> writer_;
  uint32_t left_ = 0;
  bool begun_ = false;
  bool ending_ = false;
};

void serve(AsyncService& service, grpc::ServerCompletionQueue& queue) {
  for (int i = 0; i < kPostedCalls; ++i) new UnaryCall(service, queue);
  for (int i = 0; i < kPostedStreams; ++i) new ChatCall(service, queue);
  for (int i = 0; i < kPostedStreams; ++i) new DownloadCall(service, queue);
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
  bench::add_port(builder, options, port);
  builder.RegisterService(&service);
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
  for (int i = 0; i < options.threads; ++i) queues.push_back(builder.AddCompletionQueue());
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) return 1;
  std::vector<std::jthread> threads;
  for (auto& queue : queues) threads.emplace_back([&service, &queue] { serve(service, *queue); });
  bench::announce_port(port);
}
