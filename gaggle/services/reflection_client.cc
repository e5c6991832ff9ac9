// SPDX-License-Identifier: Apache-2.0
#include "gaggle/services/reflection_client.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "gaggle/rpc/service.h"
#include "gaggle/rpc/streams.h"
#include "gaggle/services/descriptor_collector.h"
#include "grpc/reflection/v1/reflection.gaggle.h"

namespace gaggle {
namespace {

using Request = grpc::reflection::v1::ServerReflectionRequest;
using Response = grpc::reflection::v1::ServerReflectionResponse;
using Talk = BidiStreamingClient<Request, Response>;

// On the wire the versions differ in this only.
constexpr std::array<std::string_view, 2> kMethods = {
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
};

const StreamDesc kDesc = {.name = "ServerReflectionInfo",
                          .server_streams = true,
                          .client_streams = true,
                          .request_type = message_type<Request>(),
                          .response_type = message_type<Response>()};

Task<Status> ask(Talk& talk, const Request& request, Response& response) {
  Result<bool> sent = co_await talk.send(request);
  if (!sent) co_return std::move(sent).error();
  Result<bool> received = co_await talk.recv(response);
  if (!received) co_return std::move(received).error();
  if (!*received) co_return Status::data_loss("the server's reflection ended without an answer");
  if (!response.has_error_response()) co_return Status::ok();
  const auto& error = response.error_response();
  const bool known = error.error_code() > 0 && error.error_code() <= static_cast<int>(StatusCode::kUnauthenticated);
  const StatusCode code = known ? static_cast<StatusCode>(error.error_code()) : StatusCode::kUnknown;
  co_return Status(code, error.error_message());
}

Status not_described(const std::string& name) { return Status::not_found("the server doesn't describe " + name); }

}  // namespace

class ReflectionClient::Impl {
 public:
  Impl(ClientConnInterface& conn, const ReflectionClientOptions& options)
      : collector(options.max_files, options.max_bytes), conn_(conn), options_(options) {}

  // Opens the stream and asks the first question, of the version that the server has.
  Task<Result<Talk>> begin(Context context, const Request& request, Response& response) {
    CallOptions options;
    options.metadata = options_.metadata;
    options.max_receive_bytes = options_.max_bytes;
    for (; version_ < kMethods.size(); ++version_) {
      Task<Result<std::unique_ptr<ClientStream>>> opening =
          conn_.new_stream(context, kDesc, kMethods[version_], options);
      Result<std::unique_ptr<ClientStream>> stream = co_await std::move(opening);
      if (!stream) co_return std::move(stream).error();
      Talk talk(*std::move(stream));
      Status answered = co_await ask(talk, request, response);
      if (answered) co_return std::move(talk);
      const bool from_stream = !response.has_error_response();
      if (answered.code() != StatusCode::kUnimplemented || !from_stream) co_return answered;
    }
    version_ = 0;
    co_return Status::unimplemented("the server has no reflection service, which tells what it serves");
  }

  // Brings the file with `symbol`, and all that it needs, into the pool.
  Task<Status> fetch(Context context, std::string symbol) {
    Request request;
    Response response;
    request.set_file_containing_symbol(symbol);
    Task<Result<Talk>> beginning = begin(std::move(context), request, response);
    Result<Talk> talk = co_await std::move(beginning);
    if (!talk) {
      if (talk.error().code() == StatusCode::kNotFound) co_return not_described(symbol);
      co_return std::move(talk).error();
    }
    for (;;) {
      Status kept = keep(response);
      if (!kept) co_return kept;
      std::optional<std::string> missing = collector.missing();
      if (!missing) break;
      request.set_file_by_filename(*missing);
      Status answered = co_await ask(*talk, request, response);
      if (!answered) co_return answered;
      if (!gave(response, *missing)) co_return Status::data_loss("the server gave another file than " + *missing);
    }
    Status closed = co_await talk->close_send();
    if (!closed) co_return closed;
    co_return collector.build();
  }

  DescriptorCollector collector;

 private:
  Status keep(const Response& response) {
    for (const std::string& file : response.file_descriptor_response().file_descriptor_proto()) {
      if (Status status = collector.add(file); !status) return status;
    }
    return Status::ok();
  }
  // Without this, a server could have us ask for ever.
  static bool gave(const Response& response, const std::string& name) {
    for (const std::string& encoded : response.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto file;
      if (file.ParsePartialFromString(encoded) && file.name() == name) return true;
    }
    return false;
  }

  ClientConnInterface& conn_;
  const ReflectionClientOptions options_;
  size_t version_ = 0;
};

ReflectionClient::ReflectionClient(ClientConnInterface& conn, ReflectionClientOptions options)
    : impl_(std::make_unique<Impl>(conn, options)) {}

ReflectionClient::~ReflectionClient() = default;

Task<Result<std::vector<std::string>>> ReflectionClient::list_services(Context context) {
  Request request;
  Response response;
  request.set_list_services("*");
  Task<Result<Talk>> beginning = impl_->begin(std::move(context), request, response);
  Result<Talk> talk = co_await std::move(beginning);
  if (!talk) co_return std::move(talk).error();
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
  Status closed = co_await talk->close_send();
  if (!closed) co_return closed;
  co_return names;
}

Task<Result<const ReflectionClient::ServiceDescriptor*>> ReflectionClient::find_service(Context context,
                                                                                        std::string name) {
  if (const ServiceDescriptor* known = pool().FindServiceByName(name)) co_return known;
  Task<Status> fetching = impl_->fetch(std::move(context), name);
  Status fetched = co_await std::move(fetching);
  if (!fetched) co_return fetched;
  const ServiceDescriptor* found = pool().FindServiceByName(name);
  if (found == nullptr) co_return Status::not_found(name + " is no service");
  co_return found;
}

Task<Result<const google::protobuf::Descriptor*>> ReflectionClient::find_message(Context context, std::string name) {
  if (const google::protobuf::Descriptor* known = pool().FindMessageTypeByName(name)) co_return known;
  Task<Status> fetching = impl_->fetch(std::move(context), name);
  Status fetched = co_await std::move(fetching);
  if (!fetched) co_return fetched;
  const google::protobuf::Descriptor* found = pool().FindMessageTypeByName(name);
  if (found == nullptr) co_return Status::not_found(name + " is no message type");
  co_return found;
}

const google::protobuf::DescriptorPool& ReflectionClient::pool() const noexcept { return impl_->collector.pool(); }

}  // namespace gaggle
