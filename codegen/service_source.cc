// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "codegen/names.h"
#include "codegen/service.h"
#include "codegen/service_vars.h"

namespace gaggle::codegen {
namespace {

using google::protobuf::ServiceDescriptor;
using google::protobuf::io::Printer;

using Methods = std::vector<MethodNames>;

bool is_unary(const MethodNames& method) { return method.kind == MethodKind::kUnary; }

// One of the two tables of a form; `unary` says which. Nothing for an empty one.
void print_table(const Vars& service, Form form, const Methods& methods, bool unary, Printer& out) {
  if (std::ranges::none_of(methods, [unary](const MethodNames& method) { return is_unary(method) == unary; })) return;
  Vars table = service;
  table["Type"] = unary ? "MethodDesc" : "StreamDesc";
  table["table"] = service.at(unary ? "methods" : "streams");
  out.Print(table, "constexpr ::gaggle::$Type$ $table$[] = {\n");
  for (const MethodNames& method : methods) {
    if (is_unary(method) != unary) continue;
    Vars vars = method_vars(service, method, form);
    vars["function"] = unary ? "unary_method" : "stream_method";
    out.Print(vars, "    ::gaggle::generated::$function$<&$Server$::$Name$>(\"$name$\"),\n");
  }
  out.Print("};\n");
}

void print_tables(const ServiceDescriptor& descriptor, const Methods& methods, Printer& out) {
  if (methods.empty()) return;
  out.Print("namespace {\n\n");
  for (Form form : {Form::kTyped, Form::kRaw}) {
    const Vars service = service_vars(descriptor, form);
    print_table(service, form, methods, true, out);
    print_table(service, form, methods, false, out);
  }
  out.Print("\n}  // namespace\n\n");
}

// What the functions of a stream's client need beside the method's own variables.
Vars with_stream(Vars vars, MethodKind kind) {
  const bool sends = kind == MethodKind::kServerStreaming;
  vars["Stream"] = client_stream_type(vars, kind);
  vars["request_parameter"] = sends ? " const " + vars["Request"] + "& request,\n   " : "";
  vars["function"] = sends ? "open_and_send" : "open_stream";
  vars["request_argument"] = sends ? " ::gaggle::message_of(request)," : "";
  vars["request_or_none"] = sends ? "::gaggle::message_of(request)" : "{}";
  return vars;
}

void print_client_operation(Vars vars, MethodKind kind, const std::string& name, Printer& out) {
  vars["operation"] = name;
  if (kind == MethodKind::kUnary) {
    out.Print(vars,
              "::gaggle::Task<::gaggle::Status> $Service$Client::$operation$(\n"
              "    const ::gaggle::Context& context, const $Request$& request,\n"
              "    $Response$& response, const ::gaggle::CallOptions& options) {\n"
              "  return conn_->invoke(\n"
              "      context, $path$, ::gaggle::message_of(request),\n"
              "      ::gaggle::message_of(response), ::gaggle::generated::of_static_method(options));\n"
              "}\n\n");
    return;
  }
  out.Print(with_stream(std::move(vars), kind),
            "::gaggle::Task<::gaggle::Result<$Stream$>> $Service$Client::$operation$(\n"
            "    const ::gaggle::Context& context,$request_parameter$ const ::gaggle::CallOptions& options) {\n"
            "  return ::gaggle::generated::$function$<$Stream$>(\n"
            "      *conn_, context, $stream$, $path$,$request_argument$\n"
            "      ::gaggle::generated::of_static_method(options));\n"
            "}\n\n");
}

void print_blocking_operation(const Vars& vars, MethodKind kind, Printer& out) {
  if (kind == MethodKind::kUnary) {
    out.Print(vars,
              "::gaggle::Status $Service$Client::$Blocking$(\n"
              "    const ::gaggle::Context& context, const $Request$& request,\n"
              "    $Response$& response, const ::gaggle::CallOptions& options) {\n"
              "  return ::gaggle::generated::call_blocking(\n"
              "      *conn_, context, $path$, ::gaggle::message_of(request),\n"
              "      ::gaggle::message_of(response), ::gaggle::generated::of_static_method(options));\n"
              "}\n\n");
    return;
  }
  out.Print(with_stream(vars, kind),
            "::gaggle::Result<$Stream$> $Service$Client::$Blocking$(\n"
            "    const ::gaggle::Context& context,$request_parameter$ const ::gaggle::CallOptions& options) {\n"
            "  return ::gaggle::generated::open_blocking<$Stream$>(\n"
            "      *conn_, context, $stream$, $path$, $request_or_none$,\n"
            "      ::gaggle::generated::of_static_method(options));\n"
            "}\n\n");
}

void print_client(const ServiceDescriptor& descriptor, const Methods& methods, Printer& out) {
  const Vars service = service_vars(descriptor, Form::kTyped);
  const Vars raw_service = service_vars(descriptor, Form::kRaw);
  for (const MethodNames& method : methods) {
    const Vars vars = method_vars(service, method, Form::kTyped);
    print_client_operation(vars, method.kind, method.cpp, out);
    print_client_operation(method_vars(raw_service, method, Form::kRaw), method.kind, method.raw, out);
    print_blocking_operation(vars, method.kind, out);
  }
}

void print_server(const ServiceDescriptor& descriptor, Form form, const Methods& methods, Printer& out) {
  Vars service = service_vars(descriptor, form);
  const bool has_methods = std::ranges::any_of(methods, is_unary);
  const bool has_streams = !std::ranges::all_of(methods, is_unary);
  service["methods"] = has_methods ? service["methods"] : "{}";
  service["streams"] = has_streams ? service["streams"] : "{}";
  std::string type = descriptor.full_name();
  for (size_t dot = type.find('.'); dot != std::string::npos; dot = type.find('.')) type.replace(dot, 1, "::");
  type.replace(type.size() - descriptor.name().size(), std::string::npos, service["Server"]);
  service["type"] = type;
  out.Print(service,
            "constinit const ::gaggle::ServiceDesc $Desc$ = {\n"
            "    .service_name = \"$full$\",\n"
            "    .handler_type = \"$type$\",\n"
            "    .fit = ::gaggle::generated::fit<$Server$>,\n"
            "    .methods = $methods$,\n"
            "    .streams = $streams$,\n"
            "    .metadata = \"$file$\",\n"
            "};\n"
            "\n");
  for (const MethodNames& method : methods) {
    Vars vars = method_vars(service, method, form);
    vars["parameters"] = server_parameters(vars, method.kind, false);
    out.Print(vars,
              "::gaggle::Task<::gaggle::Status> Unimplemented$Server$::$Name$(\n"
              "    $parameters$) {\n"
              "  return ::gaggle::generated::unimplemented(\"$name$\");\n"
              "}\n\n");
  }
  out.Print(service,
            "::gaggle::Status Register$Server$(\n"
            "    ::gaggle::ServiceRegistrar& registrar, $Server$& implementation) {\n"
            "  return registrar.register_service($Desc$, implementation);\n"
            "}\n\n");
}

}  // namespace

void print_service_source(const ServiceDescriptor& descriptor, Printer& out) {
  const Methods methods = method_names(descriptor);
  print_tables(descriptor, methods, out);
  print_client(descriptor, methods, out);
  print_server(descriptor, Form::kTyped, methods, out);
  print_server(descriptor, Form::kRaw, methods, out);
}

}  // namespace gaggle::codegen
