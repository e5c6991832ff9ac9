// SPDX-License-Identifier: Apache-2.0
#include "bench/load/calls.h"

#include <string>
#include <utility>
#include <vector>

#include "bench/answer.h"
#include "gaggle/net/sleep.h"
#include "groupcache.gaggle.h"

namespace bench {
namespace {

using benchpb::Request;
using benchpb::Response;
using gaggle::ClientConn;
using gaggle::Context;
using gaggle::Result;
using gaggle::Status;
using gaggle::StatusCode;
using gaggle::Task;
using ChatStream = gaggle::BidiStreamingClient<Request, Response>;
using DownloadStream = gaggle::ServerStreamingClient<Response>;
using Outcome = Measurement::Outcome;
using Time = Measurement::Time;

constexpr auto kAskedFor = StatusCode::kNotFound;

Time now() { return std::chrono::steady_clock::now(); }

Context context_of(Load& load) {
  Context context;
  if (load.options.timeout_ms == 0) return context;
  // Read anew for every call, so that each says another grpc-timeout.
  return context.with_timeout(std::chrono::milliseconds{load.options.timeout_ms});
}

Outcome judge(Load& load, const Status& status, bool wants_error, bool right_answer) {
  if (wants_error && status.code() == kAskedFor) return Outcome::kExpectedError;
  if (status.is_ok() && !wants_error && right_answer) return Outcome::kGood;
  if (status.code() == StatusCode::kDeadlineExceeded) return Outcome::kDeadlineExceeded;
  load.measurement.explain_failure(status.is_ok() ? "a wrong answer" : status.to_string());
  return Outcome::kFailed;
}

Task<void> keep_calling_unary(Load& load, ClientConn& conn) {
  benchpb::BenchClient client{conn};
  Request request;
  request.set_payload(std::string(load.options.payload, 'p'));
  request.set_burn_us(load.options.burn_us);
  Response response;
  Time due = now();
  while (!load.measurement.over()) {
    if (load.schedule.paced()) {
      due = load.schedule.next();
      [[maybe_unused]] const Status slept = co_await gaggle::sleep_until(load.loop, due);
      if (load.measurement.over()) co_return;
    }
    // Spread evenly: 10 of 1000 is every hundredth.
    const bool wants_error = ++load.calls * load.options.errors_per_mille % 1000 < load.options.errors_per_mille;
    request.set_status(wants_error ? static_cast<uint32_t>(kAskedFor) : 0);
    const Context context = context_of(load);
    Status status = co_await client.Unary(context, request, response);
    const Time done = now();
    // How many bytes; greet() has compared each.
    const Outcome outcome = judge(load, status, wants_error, response.payload().size() == request.payload().size());
    load.measurement.record(due, done, outcome);
    if (outcome == Outcome::kFailed && load.options.keep_going == 0) co_return;
    due = done;
  }
}

groupcachepb::Request get_request() {
  groupcachepb::Request request;
  request.set_groupname("bench");
  request.set_key("key-0123456789");
  return request;
}

Task<void> keep_getting(Load& load, ClientConn& conn) {
  groupcachepb::GroupCacheClient client{conn};
  const groupcachepb::Request request = get_request();
  groupcachepb::Response response;
  Time due = now();
  while (!load.measurement.over()) {
    if (load.schedule.paced()) {
      due = load.schedule.next();
      [[maybe_unused]] const Status slept = co_await gaggle::sleep_until(load.loop, due);
      if (load.measurement.over()) co_return;
    }
    const Context context = context_of(load);
    Status status = co_await client.Get(context, request, response);
    const Time done = now();
    const Outcome outcome = judge(load, status, false, response.value() == kAnswer);
    load.measurement.record(due, done, outcome);
    if (outcome == Outcome::kFailed && load.options.keep_going == 0) co_return;
    due = done;
  }
}

// `window` messages in flight: each answer makes room for one message more.
Task<Status> chat(Load& load, ChatStream& stream) {
  Request request;
  request.set_payload(std::string(load.options.payload, 'p'));
  Response response;
  std::vector<Time> sent(load.options.window, now());
  for (size_t i = 0; i < sent.size(); ++i) {
    Task<Result<bool>> sending = stream.send(request);
    const Result<bool> queued = co_await std::move(sending);
    if (!queued) co_return queued.error();
  }
  for (size_t oldest = 0; !load.measurement.over(); oldest = (oldest + 1) % sent.size()) {
    Task<Result<bool>> receiving = stream.recv(response);
    const Result<bool> more = co_await std::move(receiving);
    if (!more) co_return more.error();
    if (!*more || response.payload().size() != request.payload().size()) co_return Status::internal("a wrong answer");
    const Time done = now();
    load.measurement.record(std::exchange(sent[oldest], done), done, Outcome::kGood);
    Task<Result<bool>> sending = stream.send(request);
    const Result<bool> queued = co_await std::move(sending);
    if (!queued) co_return queued.error();
  }
  co_return Status::ok();
}

Task<void> keep_chatting(Load& load, ClientConn& conn) {
  benchpb::BenchClient client{conn};
  Task<Result<ChatStream>> opening = client.Chat(Context{});
  Result<ChatStream> stream = co_await std::move(opening);
  Status status = stream ? Status::ok() : stream.error();
  if (stream) {
    Task<Status> chatting = chat(load, *stream);
    status = co_await std::move(chatting);
  }
  if (!status) load.measurement.record(now(), now(), judge(load, status, false, false));
}

Task<Status> download(Load& load, benchpb::BenchClient& client, const Request& request) {
  Response response;
  Time due = now();
  Task<Result<DownloadStream>> opening = client.Download(context_of(load), request);
  Result<DownloadStream> stream = co_await std::move(opening);
  if (!stream) co_return stream.error();
  for (uint32_t received = 0;; ++received) {
    Task<Result<bool>> receiving = stream->recv(response);
    const Result<bool> more = co_await std::move(receiving);
    if (!more) co_return more.error();
    if (!*more) co_return received == request.messages() ? Status::ok() : Status::internal("too few messages");
    if (load.measurement.over()) co_return Status::ok();
    if (response.payload().size() != request.payload().size()) co_return Status::internal("a wrong answer");
    const Time done = now();
    load.measurement.record(std::exchange(due, done), done, Outcome::kGood);
  }
}

Task<void> keep_downloading(Load& load, ClientConn& conn) {
  benchpb::BenchClient client{conn};
  Request request;
  request.set_payload(std::string(load.options.payload, 'p'));
  request.set_messages(load.options.messages);
  while (!load.measurement.over()) {
    Task<Status> downloading = download(load, client, request);
    Status status = co_await std::move(downloading);
    if (status.is_ok()) continue;
    load.measurement.record(now(), now(), judge(load, status, false, false));
    co_return;
  }
}

}  // namespace

Task<void> greet(Load& load, ClientConn& conn) {
  const Context context = Context{}.with_timeout(std::chrono::seconds{30});
  Status status;
  bool right = false;
  if (load.options.kind == "get") {
    groupcachepb::GroupCacheClient client{conn};
    groupcachepb::Request request = get_request();
    groupcachepb::Response response;
    status = co_await client.Get(context, request, response);
    right = response.value() == kAnswer;
  } else {
    benchpb::BenchClient client{conn};
    Request request;
    request.set_payload(std::string(load.options.payload, 'p'));
    Response response;
    status = co_await client.Unary(context, request, response);
    right = response.payload() == request.payload();
  }
  if (judge(load, status, false, right) != Outcome::kGood) load.measurement.fail();
}

Task<void> keep_calling(Load& load, ClientConn& conn) {
  const std::string& kind = load.options.kind;
  if (kind == "unary") return keep_calling_unary(load, conn);
  if (kind == "get") return keep_getting(load, conn);
  if (load.schedule.paced()) not_offered("constant rate of streams");
  if (kind == "chat") return keep_chatting(load, conn);
  if (kind == "download") return keep_downloading(load, conn);
  not_offered(kind.c_str());
}

Task<void> open_and_hold(Load& load, ClientConn& conn, HeldChat& held) {
  benchpb::BenchClient client{conn};
  Request request;
  request.set_payload(std::string(load.options.payload, 'p'));
  Response response;
  Task<Result<ChatStream>> opening = client.Chat(Context{});
  Result<ChatStream> stream = co_await std::move(opening);
  if (stream) {
    held.stream.emplace(*std::move(stream));
    Task<Result<bool>> sending = held.stream->send(request);
    const Result<bool> queued = co_await std::move(sending);
    Task<Result<bool>> receiving = held.stream->recv(response);
    const Result<bool> more = co_await std::move(receiving);
    if (queued && more && *more) co_return;
  }
  load.measurement.explain_failure("a chat couldn't be opened");
  load.measurement.fail();
}

}  // namespace bench
