// SPDX-License-Identifier: Apache-2.0
#include "codegen/service_vars.h"

namespace gaggle::codegen {
namespace {

// As the inside of a C++ string literal.
std::string quoted(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace

Vars service_vars(const google::protobuf::ServiceDescriptor& service, Form form) {
  const std::string raw = form == Form::kRaw ? "Raw" : "";
  const std::string& name = service.name();
  return {{"Service", name},
          {"full", service.full_name()},
          {"file", quoted(service.file()->name())},
          {"Server", name + raw + "Server"},
          {"Desc", name + "_" + raw + "ServiceDesc"},
          {"methods", name + "_" + raw + "Methods"},
          {"streams", name + "_" + raw + "Streams"}};
}

Vars method_vars(const Vars& service, const MethodNames& method, Form form) {
  const bool raw = form == Form::kRaw;
  Vars vars = service;
  vars["name"] = method.descriptor->name();
  vars["Name"] = method.cpp;
  vars["Raw"] = method.raw;
  vars["Async"] = method.async;
  vars["Blocking"] = method.blocking;
  vars["path"] = method.constant;
  vars["Request"] = raw ? "::gaggle::Bytes" : method.request;
  vars["Response"] = raw ? "::gaggle::Bytes" : method.response;
  vars["index"] = std::to_string(method.stream_index);
  vars["stream"] = vars["streams"] + "[" + vars["index"] + "]";
  return vars;
}

std::string client_stream_type(const Vars& method, MethodKind kind) {
  const std::string& request = method.at("Request");
  const std::string& response = method.at("Response");
  switch (kind) {
    case MethodKind::kServerStreaming: return "::gaggle::ServerStreamingClient<" + response + ">";
    case MethodKind::kClientStreaming: return "::gaggle::ClientStreamingClient<" + request + ", " + response + ">";
    case MethodKind::kBidi: return "::gaggle::BidiStreamingClient<" + request + ", " + response + ">";
    case MethodKind::kUnary: break;
  }
  return {};
}

std::string server_parameters(const Vars& method, MethodKind kind, bool named) {
  const std::string& request = method.at("Request");
  const std::string& response = method.at("Response");
  auto parameter = [named](const std::string& type, const char* name) {
    return type + "&" + (named ? std::string(" ") + name : "");
  };
  const std::string context = parameter("::gaggle::ServerContext", "context") + ", ";
  switch (kind) {
    case MethodKind::kUnary:
      return context + parameter("const " + request, "request") + ", " + parameter(response, "response");
    case MethodKind::kServerStreaming:
      return context + parameter("const " + request, "request") + ", " +
             parameter("::gaggle::ServerStreamingServer<" + response + ">", "stream");
    case MethodKind::kClientStreaming:
      return context + parameter("::gaggle::ClientStreamingServer<" + request + ">", "stream") + ", " +
             parameter(response, "response");
    case MethodKind::kBidi: break;
  }
  return context + parameter("::gaggle::BidiStreamingServer<" + request + ", " + response + ">", "stream");
}

}  // namespace gaggle::codegen
