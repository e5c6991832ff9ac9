// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_methods.h"

#include <set>
#include <utility>

#include "gaggle/rpc/wire_request.h"

namespace gaggle {
namespace {

Status invalid(const ServiceDesc& desc, std::string_view what) {
  std::string message = "service \"";
  message.append(desc.service_name).append("\": ").append(what);
  return Status::invalid_argument(message);
}

Status invalid(const ServiceDesc& desc, std::string_view method, std::string_view what) {
  std::string message = "method \"";
  message.append(method).append("\" ").append(what);
  return invalid(desc, message);
}

bool name_can_travel(std::string_view service, std::string_view method) {
  std::string path = "/";
  path.append(service).append("/").append(method);
  return wire::path_is_canonical(path);
}

Status check_names(const ServiceDesc& desc) {
  std::set<std::string_view> names;
  const auto check = [&](std::string_view name) {
    if (!name_can_travel(desc.service_name, name)) return invalid(desc, name, "has a name that can't stand in a path");
    return names.insert(name).second ? Status::ok() : invalid(desc, name, "is there twice");
  };
  for (const MethodDesc& method : desc.methods) {
    if (Status status = check(method.name); !status) return status;
  }
  for (const StreamDesc& stream : desc.streams) {
    if (Status status = check(stream.name); !status) return status;
  }
  return Status::ok();
}

Status check(const ServiceDesc& desc) {
  if (desc.service_name.empty()) return invalid(desc, "has no name");
  if (!name_can_travel(desc.service_name, "Method")) return invalid(desc, "that name can't stand in a path");
  if (desc.fit == nullptr) return invalid(desc, "its descriptor has no function `fit`");
  if (Status status = check_names(desc); !status) return status;
  for (const MethodDesc& method : desc.methods) {
    if (method.handler == nullptr) return invalid(desc, method.name, "has no handler");
    if (method.request_type == nullptr || method.response_type == nullptr) {
      return invalid(desc, method.name, "has no message types");
    }
  }
  for (const StreamDesc& stream : desc.streams) {
    if (stream.handler == nullptr) return invalid(desc, stream.name, "has no handler");
    if (!stream.client_streams && !stream.server_streams) {
      return invalid(desc, stream.name, "is described as a stream, but neither side streams");
    }
  }
  return Status::ok();
}

}  // namespace

Status MethodTable::add(const ServiceDesc& desc, Service& implementation) {
  if (Status status = check(desc); !status) return status;
  if (services_.contains(desc.service_name)) {
    return Status::already_exists("service \"" + std::string(desc.service_name) + "\" is registered already");
  }
  void* const object = desc.fit(implementation);
  if (object == nullptr) {
    return invalid(desc, "the implementation isn't derived from " + std::string(desc.handler_type));
  }
  services_.emplace(desc.service_name, true);
  in_order_.push_back(&desc);
  const std::string prefix = "/" + std::string(desc.service_name) + "/";
  for (const MethodDesc& method : desc.methods) {
    auto added = std::make_unique<ServerMethod>();
    added->full_name = prefix + std::string(method.name);
    added->unary = &method;
    added->implementation = object;
    added->unary_info = {.service = &implementation, .full_method = added->full_name};
    added->request_type = method.request_type;
    added->response_type = method.response_type;
    add_method(std::move(added));
  }
  for (const StreamDesc& stream : desc.streams) {
    auto added = std::make_unique<ServerMethod>();
    added->full_name = prefix + std::string(stream.name);
    added->stream = &stream;
    added->implementation = object;
    added->stream_info = {.service = &implementation,
                          .full_method = added->full_name,
                          .client_streams = stream.client_streams,
                          .server_streams = stream.server_streams};
    added->request_type = stream.request_type;
    added->response_type = stream.response_type;
    added->client_streams = stream.client_streams;
    added->server_streams = stream.server_streams;
    add_method(std::move(added));
  }
  return Status::ok();
}

void MethodTable::add_method(std::unique_ptr<ServerMethod> method) {
  method->index = static_cast<uint32_t>(methods_.size());
  std::string name = method->full_name;
  methods_.emplace(std::move(name), std::move(method));
}

void MethodTable::set_unknown(StreamHandler& handler) {
  static constexpr StreamDesc kAnyMethod = {
      .handler = [](void* implementation,
                    ServerStream& stream) { return (*static_cast<StreamHandler*>(implementation))(stream); },
      .server_streams = true,
      .client_streams = true,
      .request_type = &kBytesMessageType,
      .response_type = &kBytesMessageType};
  unknown_ = std::make_unique<ServerMethod>();
  unknown_->stream = &kAnyMethod;
  unknown_->implementation = &handler;
  unknown_->stream_info = {.client_streams = true, .server_streams = true};
  unknown_->request_type = kAnyMethod.request_type;
  unknown_->response_type = kAnyMethod.response_type;
  unknown_->client_streams = unknown_->server_streams = true;
}

const ServerMethod* MethodTable::find(std::string_view path) const noexcept {
  const auto found = methods_.find(path);
  if (found != methods_.end()) return found->second.get();
  return unknown_ != nullptr && wire::path_is_canonical(path) ? unknown_.get() : nullptr;
}

Status MethodTable::not_found(std::string_view path) const {
  const auto names = wire::split_path(path);
  if (!names) return Status::unimplemented("malformed method name \"" + std::string(path) + "\"");
  if (!services_.contains(names->service)) {
    return Status::unimplemented("unknown service " + std::string(names->service));
  }
  return Status::unimplemented("unknown method " + std::string(names->method) + " for service " +
                               std::string(names->service));
}

}  // namespace gaggle
