// SPDX-License-Identifier: Apache-2.0
//
// The same load on grpc++'s client: its asynchronous API, one completion queue, one thread, closed loop. For cells
// that compare client and server together.

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench.grpc.pb.h"
#include "bench/load/measurement.h"
#include "bench/load/options.h"
#include "bench/server_options.h"

namespace {

using bench::Measurement;
using benchpb::Request;
using benchpb::Response;
using Time = Measurement::Time;

Time now() { return std::chrono::steady_clock::now(); }

struct Load {
  explicit Load(const bench::LoadOptions& asked) : options(asked), measurement(asked) {
    request.set_payload(std::string(asked.payload, 'p'));
    request.set_burn_us(asked.burn_us);
    request.set_messages(asked.messages);
  }
  const bench::LoadOptions& options;
  Measurement measurement;
  grpc::CompletionQueue queue;
  Request request;
};

// Something that an event of the queue is for.
class Tag {
 public:
  virtual ~Tag() = default;
  virtual void on_event(bool ok) = 0;
};

// A place for a call in flight: unary call after unary call.
class UnaryCalls final : public Tag {
 public:
  UnaryCalls(Load& load, benchpb::Bench::Stub& stub) : load_(load), stub_(stub) { begin(now()); }

  void on_event(bool /*ok*/) override {
    const Time done = now();
    const bool right = status_.ok() && response_.payload().size() == load_.request.payload().size();
    if (!right) load_.measurement.explain_failure(status_.ok() ? "a wrong answer" : status_.error_message());
    load_.measurement.record(due_, done, right ? Measurement::Outcome::kGood : Measurement::Outcome::kFailed);
    if (right && !load_.measurement.over()) begin(done);
  }

 private:
  void begin(Time due) {
    due_ = due;
    context_ = std::make_unique<grpc::ClientContext>();
    if (load_.options.timeout_ms != 0) {
      context_->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds{load_.options.timeout_ms});
    }
    reader_ = stub_.AsyncUnary(context_.get(), load_.request, &load_.queue);
    reader_->Finish(&response_, &status_, this);
  }

  Load& load_;
  benchpb::Bench::Stub& stub_;
  Time due_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader_;
  Response response_;
  grpc::Status status_;
};

// Download after download.
class Downloads final : public Tag {
 public:
  Downloads(Load& load, benchpb::Bench::Stub& stub) : load_(load), stub_(stub) { begin(); }

  void on_event(bool ok) override {
    if (state_ == State::kEnding) return end();
    if (!ok) {
      state_ = State::kEnding;
      return reader_->Finish(&status_, this);
    }
    if (std::exchange(state_, State::kReading) == State::kReading) {
      const Time done = now();
      const bool right = response_.payload().size() == load_.request.payload().size();
      load_.measurement.record(std::exchange(due_, done), done,
                               right ? Measurement::Outcome::kGood : Measurement::Outcome::kFailed);
    }
    reader_->Read(&response_, this);
  }

 private:
  enum class State { kOpening, kReading, kEnding };

  void begin() {
    due_ = now();
    state_ = State::kOpening;
    context_ = std::make_unique<grpc::ClientContext>();
    reader_ = stub_.AsyncDownload(context_.get(), load_.request, &load_.queue, this);
  }
  void end() {
    if (!status_.ok()) {
      load_.measurement.explain_failure(status_.error_message());
      load_.measurement.record(due_, now(), Measurement::Outcome::kFailed);
    } else if (!load_.measurement.over()) {
      begin();
    }
  }

  Load& load_;
  benchpb::Bench::Stub& stub_;
  State state_ = State::kOpening;
  Time due_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientAsyncReader<Response>> reader_;
  Response response_;
  grpc::Status status_;
};

// One chat: up to `window` messages in flight, at most one write and one read under way, as the API wants it.
class Chat final : public Tag {
 public:
  Chat(Load& load, benchpb::Bench::Stub& stub) : load_(load), reading_(*this), writing_(*this) {
    stream_ = stub.AsyncChat(&context_, &load.queue, this);
  }

  void on_event(bool ok) override {
    if (!ok) return fail();
    stream_->Read(&response_, &reading_);
    write();
  }

 private:
  class Reading final : public Tag {
   public:
    explicit Reading(Chat& chat) : chat_(chat) {}
    void on_event(bool ok) override { chat_.on_read(ok); }

   private:
    Chat& chat_;
  };
  class Writing final : public Tag {
   public:
    explicit Writing(Chat& chat) : chat_(chat) {}
    void on_event(bool ok) override { chat_.on_written(ok); }

   private:
    Chat& chat_;
  };

  void write() {
    if (write_under_way_ || sent_.size() >= load_.options.window || load_.measurement.over()) return;
    write_under_way_ = true;
    sent_.push_back(now());
    stream_->Write(load_.request, &writing_);
  }
  void on_written(bool ok) {
    write_under_way_ = false;
    if (!ok) return fail();
    write();
  }
  void on_read(bool ok) {
    if (!ok || response_.payload().size() != load_.request.payload().size()) return fail();
    load_.measurement.record(sent_.front(), now(), Measurement::Outcome::kGood);
    sent_.pop_front();
    stream_->Read(&response_, &reading_);
    write();
  }
  void fail() {
    if (load_.measurement.over()) return;
    load_.measurement.explain_failure("a chat");
    load_.measurement.record(now(), now(), Measurement::Outcome::kFailed);
  }

  Load& load_;
  Reading reading_;
  Writing writing_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Request, Response>> stream_;
  Response response_;
  std::deque<Time> sent_;
  bool write_under_way_ = false;
};

std::shared_ptr<grpc::ChannelCredentials> credentials(const bench::LoadOptions& options) {
  if (options.ca.empty()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = bench::read_file(options.ca);
  return grpc::SslCredentials(tls);
}

// The first call of a connection, which opens it; every byte of its answer is compared.
bool greet(Load& load, benchpb::Bench::Stub& stub) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds{30});
  Response response;
  const grpc::Status status = stub.Unary(&context, load.request, &response);
  if (status.ok() && response.payload() == load.request.payload()) return true;
  load.measurement.explain_failure(status.ok() ? "a wrong answer" : status.error_message());
  return false;
}

// Handles events until `end`.
void run_until(Load& load, Time end) {
  const auto until = std::chrono::system_clock::now() + (end - now());
  void* tag = nullptr;
  bool ok = false;
  while (now() < end && load.queue.AsyncNext(&tag, &ok, until) == grpc::CompletionQueue::GOT_EVENT) {
    static_cast<Tag*>(tag)->on_event(ok);
  }
}

std::chrono::nanoseconds seconds(double count) {
  return std::chrono::nanoseconds{static_cast<std::int64_t>(count * 1e9)};
}

}  // namespace

int main(int argc, char** argv) {
  const bench::LoadOptions options = bench::parse_load_options(argc, argv);
  if (options.rate > 0) bench::not_offered("constant rate");
  if (options.kind != "unary" && options.kind != "chat" && options.kind != "download") {
    bench::not_offered(options.kind.c_str());
  }
  Load load(options);
  std::vector<std::unique_ptr<benchpb::Bench::Stub>> stubs;
  for (int i = 0; i < options.connections; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own for each channel
    arguments.SetSslTargetNameOverride("localhost");
    stubs.push_back(benchpb::Bench::NewStub(
        grpc::CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(options.port), credentials(options), arguments)));
  }
  for (auto& stub : stubs) {
    if (!greet(load, *stub)) return 1;
  }
  std::vector<std::unique_ptr<Tag>> places;
  for (int stream = 0; stream < options.streams; ++stream) {
    for (auto& stub : stubs) {
      if (options.kind == "unary") {
        places.push_back(std::make_unique<UnaryCalls>(load, *stub));
      } else if (options.kind == "download") {
        places.push_back(std::make_unique<Downloads>(load, *stub));
      } else {
        places.push_back(std::make_unique<Chat>(load, *stub));
      }
    }
  }
  run_until(load, now() + seconds(options.warm_up));
  load.measurement.begin();
  run_until(load, now() + seconds(options.seconds));
  load.measurement.end();
  load.measurement.print();
  std::fflush(stdout);
  // Calls in flight hold on to the queue; nothing is learnt from ending them one by one.
  std::_Exit(load.measurement.failed() ? 1 : 0);
}
