// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "codegen/comments.h"
#include "codegen/names.h"
#include "codegen/service.h"
#include "codegen/service_vars.h"

namespace gaggle::codegen {
namespace {

using google::protobuf::ServiceDescriptor;
using google::protobuf::io::Printer;

using Methods = std::vector<MethodNames>;

// The declaration of a client's operation up to its closing bracket.
void print_client_signature(Vars vars, MethodKind kind, const std::string& name, Printer& out) {
  vars["operation"] = name;
  vars["Result"] =
      kind == MethodKind::kUnary ? "::gaggle::Status" : "::gaggle::Result<" + client_stream_type(vars, kind) + ">";
  const bool has_request = kind == MethodKind::kUnary || kind == MethodKind::kServerStreaming;
  out.Print(vars, "::gaggle::Task<$Result$> $operation$(\n    const ::gaggle::Context& context,");
  if (has_request) out.Print(vars, " const $Request$& request,\n    ");
  if (kind == MethodKind::kUnary) out.Print(vars, "$Response$& response,");
  out.Print(kind == MethodKind::kServerStreaming ? "const" : " const");
  out.Print(" ::gaggle::CallOptions& options = {})");
}

void print_client_interface(const Vars& service, const std::string& comment, const Methods& methods, Printer& out) {
  print_comment(comment, out);
  if (!comment.empty()) out.Print("//\n");
  out.Print(service,
            "// The client's side of $full$, to call and to fake.\n"
            "//\n"
            "// $Service$Client is the real one. Requests, responses and what the options point to stay alive\n"
            "// until the call has completed.\n"
            "class $Service$ClientInterface {\n"
            " public:\n"
            "  virtual ~$Service$ClientInterface() = default;\n");
  out.Indent();
  for (const MethodNames& method : methods) {
    out.Print("\n");
    print_comment(comment_of(*method.descriptor), out);
    out.Print("virtual ");
    print_client_signature(method_vars(service, method, Form::kTyped), method.kind, method.cpp, out);
    out.Print(" = 0;\n");
  }
  out.Outdent();
  out.Print("};\n\n");
}

void print_unary_forms(const Vars& vars, Printer& out) {
  out.Print(vars,
            "template <class Token>\n"
            "auto $Async$(\n"
            "    const ::gaggle::Context& context, const $Request$& request,\n"
            "    $Response$& response, const ::gaggle::CallOptions& options, Token&& token) {\n"
            "  return ::gaggle::generated::call_with_token(\n"
            "      *conn_, context, $path$, ::gaggle::message_of(request),\n"
            "      ::gaggle::message_of(response), ::gaggle::generated::of_static_method(options),\n"
            "      ::std::forward<Token>(token));\n"
            "}\n"
            "::gaggle::Status $Blocking$(\n"
            "    const ::gaggle::Context& context, const $Request$& request,\n"
            "    $Response$& response, const ::gaggle::CallOptions& options = {});\n");
}

void print_stream_forms(Vars vars, MethodKind kind, Printer& out) {
  const bool has_request = kind == MethodKind::kServerStreaming;
  vars["Stream"] = client_stream_type(vars, kind);
  vars["request_parameter"] = has_request ? " const " + vars["Request"] + "& request,\n     " : "";
  vars["request_argument"] = has_request ? "::gaggle::message_of(request)" : "{}";
  out.Print(vars,
            "template <class Token>\n"
            "auto $Async$(\n"
            "    const ::gaggle::Context& context,$request_parameter$ const ::gaggle::CallOptions& options, "
            "Token&& token) {\n"
            "  return ::gaggle::generated::open_with_token<$Stream$>(\n"
            "      *conn_, context, $Desc$.streams[$index$], $path$,\n"
            "      $request_argument$, ::gaggle::generated::of_static_method(options),\n"
            "      ::std::forward<Token>(token));\n"
            "}\n"
            "::gaggle::Result<$Stream$> $Blocking$(\n"
            "    const ::gaggle::Context& context,$request_parameter$ const ::gaggle::CallOptions& options = {});\n");
}

void print_client(const Vars& service, const Methods& methods, Printer& out) {
  out.Print(service,
            "// Calls $full$ through a connection, which must outlive the client and its calls.\n"
            "//\n"
            "// Methods have further forms. ...Raw takes and gives encoded messages. Async... takes an Asio\n"
            "// completion token, whose handler gets the Status, or the Result with the stream; Blocking... is\n"
            "// for threads without a loop (FAILED_PRECONDITION on a loop's thread).\n"
            "class $Service$Client : public $Service$ClientInterface {\n"
            " public:\n"
            "  explicit $Service$Client(::gaggle::ClientConnInterface& conn) noexcept : conn_(&conn) {}\n");
  out.Indent();
  for (const MethodNames& method : methods) {
    const Vars vars = method_vars(service, method, Form::kTyped);
    out.Print("\n");
    print_client_signature(vars, method.kind, method.cpp, out);
    out.Print(" override;\n");
    print_client_signature(method_vars(service, method, Form::kRaw), method.kind, method.raw, out);
    out.Print(";\n");
    if (method.kind == MethodKind::kUnary) {
      print_unary_forms(vars, out);
    } else {
      print_stream_forms(vars, method.kind, out);
    }
  }
  out.Outdent();
  out.Print("\n private:\n");
  out.Print(methods.empty() ? "  [[maybe_unused]] " : "  ");
  out.Print("::gaggle::ClientConnInterface* conn_;\n};\n\n");
}

void print_server_methods(const Vars& service, Form form, const Methods& methods, const char* ending, Printer& out) {
  for (const MethodNames& method : methods) {
    Vars vars = method_vars(service, method, form);
    const bool pure = ending[1] == '=';
    vars["parameters"] = server_parameters(vars, method.kind, pure);
    if (pure) {
      if (&method != &methods.front()) out.Print("\n");
      print_comment(comment_of(*method.descriptor), out);
    }
    out.Print(vars, pure ? "virtual " : "");
    out.Print(vars, "::gaggle::Task<::gaggle::Status> $Name$(\n    $parameters$)");
    out.Print(ending);
  }
}

void print_server(const ServiceDescriptor& descriptor, Form form, const Methods& methods, Printer& out) {
  const Vars service = service_vars(descriptor, form);
  if (form == Form::kTyped) {
    const std::string comment = comment_of(descriptor);
    print_comment(comment, out);
    if (!comment.empty()) out.Print("//\n");
    out.Print(service, "// The server's side of $full$.\n");
  } else {
    out.Print(service, "// The server's side of $full$ with encoded messages, in and out.\n");
  }
  out.Print(service,
            "//\n"
            "// Derive from Unimplemented$Server$: a method that the proto gains then answers UNIMPLEMENTED,\n"
            "// and breaks nothing. Or derive from Unsafe$Server$: then it breaks the build.\n"
            "class $Server$ : public ::gaggle::Service {\n"
            " public:\n");
  out.Indent();
  print_server_methods(service, form, methods, " = 0;\n", out);
  out.Outdent();
  // The rule's parameter is private, so that nobody else can override it; its name is the message
  // that compilers print.
  out.Print(service,
            "\n"
            " private:\n"
            "  friend class Unimplemented$Server$;\n"
            "  friend class Unsafe$Server$;\n"
            "  struct Rule_ {};\n"
            "  virtual void derive_from_Unimplemented$Server$_or_Unsafe$Server$(Rule_) = 0;\n"
            "};\n"
            "\n"
            "class Unimplemented$Server$ : public $Server$ {\n"
            " public:\n");
  out.Indent();
  print_server_methods(service, form, methods, " override;\n", out);
  out.Outdent();
  out.Print(service,
            "\n"
            " private:\n"
            "  void derive_from_Unimplemented$Server$_or_Unsafe$Server$(Rule_) final {}\n"
            "};\n"
            "\n"
            "class Unsafe$Server$ : public $Server$ {\n"
            "  void derive_from_Unimplemented$Server$_or_Unsafe$Server$(Rule_) final {}\n"
            "};\n"
            "\n"
            "// The implementation must outlive the registrar.\n"
            "::gaggle::Status Register$Server$(\n"
            "    ::gaggle::ServiceRegistrar& registrar, $Server$& implementation);\n"
            "\n");
}

}  // namespace

void print_service_header(const ServiceDescriptor& descriptor, Printer& out) {
  const Vars service = service_vars(descriptor, Form::kTyped);
  const Methods methods = method_names(descriptor);
  for (const MethodNames& method : methods) {
    out.Print(method_vars(service, method, Form::kTyped),
              "inline constexpr ::std::string_view $path$ = \"/$full$/$name$\";\n");
  }
  out.Print(service,
            "extern const ::gaggle::ServiceDesc $Service$_ServiceDesc;\n"
            "extern const ::gaggle::ServiceDesc $Service$_RawServiceDesc;\n"
            "\n");
  print_client_interface(service, comment_of(descriptor), methods, out);
  print_client(service, methods, out);
  print_server(descriptor, Form::kTyped, methods, out);
  print_server(descriptor, Form::kRaw, methods, out);
}

}  // namespace gaggle::codegen
