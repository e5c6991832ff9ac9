// SPDX-License-Identifier: Apache-2.0
#include "gaggle/services/reflection.h"

#include <string>
#include <utility>

#include "gaggle/rpc/server_context.h"
#include "gaggle/services/descriptor_index.h"
#include "grpc/reflection/v1/reflection.gaggle.h"
#include "grpc/reflection/v1alpha/reflection.gaggle.h"

namespace gaggle {
namespace {

namespace v1 = grpc::reflection::v1;
namespace v1alpha = grpc::reflection::v1alpha;

template <class Response>
void fill_error(const Status& status, Response& response) {
  auto& error = *response.mutable_error_response();
  error.set_error_code(static_cast<int32_t>(status.code()));
  error.set_error_message(std::string(status.message()));
}

template <class Response>
void fill_files(const Result<const DescriptorIndex::File*>& file, SentFiles& sent, Response& response) {
  if (!file) return fill_error(file.error(), response);
  auto& files = *response.mutable_file_descriptor_response();
  for (std::string& encoded : sent.encode(**file)) files.add_file_descriptor_proto(std::move(encoded));
}

template <class Response>
void fill_numbers(const std::string& type, const Result<std::set<int>>& numbers, Response& response) {
  if (!numbers) return fill_error(numbers.error(), response);
  auto& answer = *response.mutable_all_extension_numbers_response();
  answer.set_base_type_name(type);
  for (const int number : *numbers) answer.add_extension_number(number);
}

template <class Response>
void fill_services(const ServerContext& context, Response& response) {
  auto& services = *response.mutable_list_services_response();
  for (const ServiceDesc* desc : context.services()) services.add_service()->set_name(std::string(desc->service_name));
}

// One version of the service; the versions differ in the names of their types alone.
template <class Base, class Request, class Response>
class Reflection final : public Base {
 public:
  explicit Reflection(const DescriptorIndex& index) : index_(index) {}

  Task<Status> ServerReflectionInfo(ServerContext& context, BidiStreamingServer<Request, Response>& stream) override {
    SentFiles sent_files;
    Request request;
    Response response;
    for (;;) {
      Result<bool> more = co_await stream.recv(request);
      if (!more) co_return more.error();
      if (!*more) co_return Status::ok();
      response.Clear();
      response.set_valid_host(request.host());
      *response.mutable_original_request() = request;
      if (!answer(context, request, sent_files, response)) {
        co_return Status::invalid_argument("the request asks for nothing that this server knows of");
      }
      Status sent = co_await stream.send(response);
      if (!sent) co_return sent;
    }
  }

 private:
  bool answer(const ServerContext& context, const Request& request, SentFiles& sent, Response& response) const {
    switch (request.message_request_case()) {
      case Request::kFileByFilename: fill_files(index_.file(request.file_by_filename()), sent, response); return true;
      case Request::kFileContainingSymbol:
        fill_files(index_.file_with_symbol(request.file_containing_symbol()), sent, response);
        return true;
      case Request::kFileContainingExtension: {
        const auto& extension = request.file_containing_extension();
        fill_files(index_.file_with_extension(extension.containing_type(), extension.extension_number()), sent,
                   response);
        return true;
      }
      case Request::kAllExtensionNumbersOfType: {
        const std::string& type = request.all_extension_numbers_of_type();
        fill_numbers(type, index_.extension_numbers(type), response);
        return true;
      }
      case Request::kListServices: fill_services(context, response); return true;
      case Request::MESSAGE_REQUEST_NOT_SET: break;
    }
    return false;
  }

  const DescriptorIndex& index_;
};

using ReflectionV1 =
    Reflection<v1::UnimplementedServerReflectionServer, v1::ServerReflectionRequest, v1::ServerReflectionResponse>;
using ReflectionV1Alpha = Reflection<v1alpha::UnimplementedServerReflectionServer, v1alpha::ServerReflectionRequest,
                                     v1alpha::ServerReflectionResponse>;

std::vector<const google::protobuf::DescriptorPool*> with_generated_pool(
    std::vector<const google::protobuf::DescriptorPool*> pools) {
  pools.push_back(google::protobuf::DescriptorPool::generated_pool());
  return pools;
}

}  // namespace

struct ReflectionServer::Services {
  explicit Services(ReflectionOptions options) : index(with_generated_pool(std::move(options.pools))) {}
  const DescriptorIndex index;
  ReflectionV1 v1{index};
  ReflectionV1Alpha v1alpha{index};
};

ReflectionServer::ReflectionServer(ReflectionOptions options)
    : services_(std::make_unique<Services>(std::move(options))) {}

ReflectionServer::~ReflectionServer() = default;

Status ReflectionServer::register_with(ServiceRegistrar& registrar) {
  if (Status status = v1::RegisterServerReflectionServer(registrar, services_->v1); !status) return status;
  return v1alpha::RegisterServerReflectionServer(registrar, services_->v1alpha);
}

}  // namespace gaggle
