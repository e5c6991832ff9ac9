// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gaggle/net/loop.h"
#include "gaggle/net/spawn.h"
#include "gaggle/rpc/client_conn_interface.h"
#include "gaggle/rpc/server_stream.h"
#include "gaggle/rpc/service.h"

// Both ends of a call without a network: messages lie in queues in their encoded form, as they would
// on the wire. Nothing here waits, so tests need no other thread.

namespace gaggle::codegen_test {

// Runs a task to its end on `loop`.
template <class T>
T run(Loop& loop, Task<T> task, const Context& context = {}) {
  std::optional<T> result;
  spawn(loop, std::move(task), context, [&result](T value) { result.emplace(std::move(value)); });
  loop.run_until([&result] { return result.has_value(); });
  return *std::move(result);
}

inline std::string encoded(ConstMessage message) {
  size_t size = 0;
  EXPECT_TRUE(message.type->byte_size(message.object, &size));
  std::string bytes(size, '\0');
  message.type->serialize(message.object, reinterpret_cast<uint8_t*>(bytes.data()));
  return bytes;
}
template <class T>
std::string encoding_of(const T& message) {
  return encoded(message_of(message));
}
inline bool decode(const std::string& bytes, Message message) {
  return message.type->parse(message.object, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

class FakeServerContext final : public ServerContext {
 public:
  explicit FakeServerContext(Loop& loop) : loop_(loop) {}
  std::string_view method() const noexcept override { return "/fake/Method"; }
  const Metadata& metadata() override { return metadata_; }
  const Peer& peer() override { return peer_; }
  Loop& loop() noexcept override { return loop_; }
  Status set_header(std::string_view, std::string_view) override { return {}; }
  Status send_header() override { return {}; }
  Status set_compressor(std::string_view) override { return {}; }
  bool received_compressed() const noexcept override { return false; }
  Status set_trailer(std::string_view, std::string_view) override { return {}; }

 private:
  Loop& loop_;
  Metadata metadata_;
  Peer peer_;
};

// A registrar that is no Server: it notes what was registered, and finds it again.
class Recorder final : public ServiceRegistrar {
 public:
  struct Registered {
    const ServiceDesc* desc;
    void* implementation;
  };

  Status register_service(const ServiceDesc& desc, Service& implementation) override {
    void* fitting = desc.fit(implementation);
    if (fitting == nullptr) {
      return Status::invalid_argument("the implementation is no " + std::string{desc.handler_type});
    }
    services.push_back({&desc, fitting});
    return {};
  }

  const MethodDesc* method(std::string_view name) const { return find(services.at(0).desc->methods, name); }
  const StreamDesc* stream(std::string_view name) const { return find(services.at(0).desc->streams, name); }

  std::vector<Registered> services;

 private:
  template <class Desc>
  static const Desc* find(std::span<const Desc> descs, std::string_view name) {
    for (const Desc& desc : descs) {
      if (desc.name == name) return &desc;
    }
    return nullptr;
  }
};

// One unary call, as a runtime would make it of a method's descriptor.
class FakeUnaryCall final : public UnaryServerCall {
 public:
  FakeUnaryCall(const MethodDesc& desc, std::string encoded_request)
      : encoded_request_(std::move(encoded_request)),
        request_{desc.request_type, desc.request_type->create()},
        response_{desc.response_type, desc.response_type->create()} {}
  ~FakeUnaryCall() {
    request_.type->destroy(request_.object);
    response_.type->destroy(response_.object);
  }

  Message request() noexcept override { return request_; }
  Message response() noexcept override { return response_; }
  Status decode() override {
    return codegen_test::decode(encoded_request_, request_) ? Status{} : Status::internal("can't decode the request");
  }
  const UnaryServerInfo& info() const noexcept override { return info_; }

 private:
  std::string encoded_request_;
  Message request_;
  Message response_;
  UnaryServerInfo info_{.service = nullptr, .full_method = "/fake/Method"};
};

// The server's side of a streaming call: `incoming` is what the client sends before it half-closes.
class FakeServerStream final : public ServerStream {
 public:
  explicit FakeServerStream(Loop& loop) : context_(loop) {}

  ServerContext& context() noexcept override { return context_; }
  Task<Result<bool>> recv(Message message) override {
    if (incoming.empty()) return Task<Result<bool>>::ready(false);
    const bool decoded = decode(incoming.front(), message);
    incoming.pop_front();
    if (!decoded) return Task<Result<bool>>::ready(Status::internal("can't decode the message"));
    return Task<Result<bool>>::ready(true);
  }
  Task<Status> send(ConstMessage message, SendOptions) override {
    sent.push_back(encoded(message));
    return Task<Status>::ready(Status{});
  }

  std::deque<std::string> incoming;
  std::vector<std::string> sent;

 private:
  FakeServerContext context_;
};

// What happened to a fake client's call.
struct ClientLog {
  std::string method;
  const StreamDesc* desc = nullptr;
  CallOptions options;
  Context context;
  std::vector<std::string> sent;
  bool half_closed = false;
};

class FakeClientStream final : public ClientStream {
 public:
  FakeClientStream(Loop& loop, ClientLog& log, std::deque<std::string> answers)
      : loop_(loop), log_(log), answers_(std::move(answers)) {}

  Task<Result<const Metadata*>> header() override { return Task<Result<const Metadata*>>::ready(&metadata_); }
  const Metadata& trailer() const noexcept override { return metadata_; }
  Task<Result<bool>> send(ConstMessage message, SendOptions) override {
    log_.sent.push_back(encoded(message));
    if (!log_.desc->client_streams) log_.half_closed = true;
    return Task<Result<bool>>::ready(true);
  }
  Task<Status> close_send() override {
    log_.half_closed = true;
    return Task<Status>::ready(Status{});
  }
  Task<Result<bool>> recv(Message message) override {
    if (answers_.empty()) return Task<Result<bool>>::ready(false);
    EXPECT_TRUE(decode(answers_.front(), message));
    answers_.pop_front();
    return Task<Result<bool>>::ready(true);
  }
  void cancel() noexcept override {}
  Loop& loop() noexcept override { return loop_; }

 private:
  Loop& loop_;
  ClientLog& log_;
  std::deque<std::string> answers_;
  Metadata metadata_;
};

// A connection to nowhere that answers each call with `answers`, or fails it with `status`.
class FakeConn final : public ClientConnInterface {
 public:
  explicit FakeConn(Loop& loop) : loop_(loop) {}

  Task<Status> invoke(Context context, std::string_view method, ConstMessage request, Message response,
                      CallOptions options) override {
    log.context = context;
    log.method = method;
    log.options = options;
    log.sent.push_back(encoded(request));
    if (!status) co_return status;
    EXPECT_TRUE(decode(answers.at(0), response));
    co_return Status::ok();
  }
  Task<Result<std::unique_ptr<ClientStream>>> new_stream(Context context, const StreamDesc& desc,
                                                         std::string_view method, CallOptions options) override {
    log.context = context;
    log.method = method;
    log.desc = &desc;
    log.options = options;
    if (!status) co_return status;
    co_return std::make_unique<FakeClientStream>(loop_, log, answers);
  }
  Loop& loop() noexcept override { return loop_; }

  ClientLog log;
  std::deque<std::string> answers;
  Status status;

 private:
  Loop& loop_;
};

}  // namespace gaggle::codegen_test
