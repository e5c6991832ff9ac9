// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "gaggle/base/status.h"
#include "gaggle/net/task.h"
#include "gaggle/rpc/message.h"
#include "gaggle/rpc/server_context.h"

namespace gaggle {

class ServerStream;

// The base of every service implementation, so that a registrar can check that it fits.
class Service {
 public:
  virtual ~Service() = default;
};

// What an interceptor is told of the call it stands before.
struct UnaryServerInfo {
  Service* service = nullptr;
  std::string_view full_method;  // "/package.Service/Method"
};
struct StreamServerInfo {
  Service* service = nullptr;  // null when ServerOptions::unknown_service answers
  std::string_view full_method;
  bool client_streams = false;
  bool server_streams = false;
};

// The rest of the call behind a unary interceptor.
class UnaryHandler {
 public:
  virtual Task<Status> operator()(ServerContext& context, ConstMessage request, Message response) = 0;

 protected:
  ~UnaryHandler() = default;
};

// Stands before every unary method of a server. Awaits, changes or replaces what passes; calls
// `next` any number of times, or not at all. Shared by all loops: keep no unsynchronised state. An exception,
// its own or one that comes out of `next`, ends the call with UNKNOWN; its words are logged, not sent.
class UnaryServerInterceptor {
 public:
  virtual ~UnaryServerInterceptor() = default;
  virtual Task<Status> intercept(ServerContext& context, ConstMessage request, Message response,
                                 const UnaryServerInfo& info, UnaryHandler& next) = 0;
};

// A streaming method, or the rest of the call behind a stream interceptor; also what answers methods
// that nobody registered (ServerOptions::unknown_service). An exception ends the call with UNKNOWN; its
// words are logged, not sent.
class StreamHandler {
 public:
  virtual Task<Status> operator()(ServerStream& stream) = 0;

 protected:
  ~StreamHandler() = default;
};

// Stands before every streaming method of a server. Runs when the call begins and ends with it; to
// see, change or replace messages and metadata it gives `next` a stream of its own around `stream`
// (see ServerStreamWrapper). What it returns is the call's status. Calls `next` at most once: the
// messages can be read only once. Shared by all loops: keep no unsynchronised state. An exception ends the call
// with UNKNOWN; its words are logged, not sent.
//
//   class Counting final : public StreamServerInterceptor {
//     Task<Status> intercept(ServerStream& stream, const StreamServerInfo&, StreamHandler& next) override {
//       CountingStream counted(stream);
//       co_return co_await next(counted);
//     }
//   };
class StreamServerInterceptor {
 public:
  virtual ~StreamServerInterceptor() = default;
  virtual Task<Status> intercept(ServerStream& stream, const StreamServerInfo& info, StreamHandler& next) = 0;
};

// One unary call as its handler sees it. Request and response belong to the runtime, are empty at
// first, and are reused for later calls once the handler has ended.
class UnaryServerCall {
 public:
  virtual Message request() noexcept = 0;
  virtual Message response() noexcept = 0;
  // Decodes what arrived into request(); the error, if any, is the call's status.
  virtual Status decode() = 0;
  virtual const UnaryServerInfo& info() const noexcept = 0;

 protected:
  ~UnaryServerCall() = default;
};

// A unary method: its name, its messages, and the function that runs it.
//
// `handler` gets the implementation (as `ServiceDesc::fit` gave it), decodes the request, then
// either calls the method or, if `interceptor` isn't null, gives it the request, the call's info
// and the method as `next`. What it returns is the status; OK sends the response. An exception ends the
// call with UNKNOWN; its words are logged, not sent.
struct MethodDesc {
  std::string_view name;  // without the service: "Get"
  const MessageType* request_type = nullptr;
  const MessageType* response_type = nullptr;
  Task<Status> (*handler)(void* implementation, ServerContext& context, UnaryServerCall& call,
                          UnaryServerInterceptor* interceptor) = nullptr;
};

// A streaming method; one in which neither side streams is refused. The client passes the same
// descriptor to new_stream (its handler isn't looked at).
struct StreamDesc {
  std::string_view name;
  Task<Status> (*handler)(void* implementation, ServerStream& stream) = nullptr;
  bool server_streams = false;
  bool client_streams = false;
  const MessageType* request_type = nullptr;
  const MessageType* response_type = nullptr;
};

// What a registrar needs to know of a service. Constant data; generated as `X_ServiceDesc`.
struct ServiceDesc {
  std::string_view service_name;  // "package.Service"
  std::string_view handler_type;  // the C++ type an implementation must have, for error messages
  // The implementation as the handlers take it, or null when it isn't a `handler_type`.
  void* (*fit)(Service& implementation) = nullptr;
  std::span<const MethodDesc> methods;
  std::span<const StreamDesc> streams;
  std::string_view metadata;  // the .proto file it was generated from
};

// Whatever services can be registered with: a Server, a test's recorder, a user's router.
class ServiceRegistrar {
 public:
  virtual ~ServiceRegistrar() = default;
  // `desc` and `implementation` must outlive the registrar. FAILED_PRECONDITION after the start,
  // ALREADY_EXISTS for a service of the same name, INVALID_ARGUMENT when the implementation
  // doesn't fit or the descriptor is malformed.
  virtual Status register_service(const ServiceDesc& desc, Service& implementation) = 0;
};

}  // namespace gaggle
