// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gaggle/cli/client.h"
#include "gaggle/cli/command.h"
#include "gaggle/cli/json_messages.h"
#include "gaggle/cli/method_call.h"
#include "gaggle/cli/standard_input.h"
#include "gaggle/cli/units.h"
#include "gaggle/net/address.h"
#include "gaggle/net/block_on.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/wire_base64.h"
#include "gaggle/services/error_details.h"
#include "gaggle/services/reflection_client.h"
#include "google/rpc/error_details.pb.h"

namespace gaggle::cli {
namespace {

constexpr const char* kUnaryTimeout = "5s";
constexpr size_t kMaxNamesShown = 20;

struct CallCommandOptions {
  std::string server;
  std::string method;
  std::optional<std::string> json;
  std::vector<std::string> headers;
  std::string timeout;
  TlsFlags tls;
};

// "key: value"; the value of a "-bin" key is base64.
Status add_header(const std::string& header, Metadata& metadata) {
  const size_t colon = header.find(':');
  if (colon == std::string::npos) return Status::invalid_argument("--header \"" + header + "\" isn't \"key: value\"");
  const std::string key = header.substr(0, colon);
  const size_t start = header.find_first_not_of(' ', colon + 1);
  std::string value = start == std::string::npos ? std::string() : header.substr(start);
  if (key.ends_with("-bin")) {
    std::string bytes;
    if (!wire::base64_decode(value, bytes)) return Status::invalid_argument("--header " + key + ": this isn't base64");
    value = std::move(bytes);
  }
  const Status added = metadata.add(key, value);
  return added ? added : Status::invalid_argument("--header: " + std::string(added.message()));
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < kMaxNamesShown; ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kMaxNamesShown) text += ", …";
  return text.empty() ? "nothing" : text;
}

// What the server tells of itself.
class Described {
 public:
  Described(Client& client, const Metadata& metadata)
      : client_(client), reflection_(client.conn(), ReflectionClientOptions{.metadata = &metadata}) {}

  Result<const google::protobuf::MethodDescriptor*> method(const MethodName& name) {
    const auto service = ask(reflection_.find_service(client_.context(), name.service));
    if (!service && service.error().code() == StatusCode::kNotFound) return unknown_service(name.service);
    if (!service) return service.error();
    if (const auto* method = (*service)->FindMethodByName(name.method)) return method;
    std::vector<std::string> methods;
    for (int i = 0; i < (*service)->method_count(); ++i) methods.push_back((*service)->method(i)->name());
    return Status::unimplemented("service " + name.service + " has no method " + name.method + "; it has " +
                                 list(methods));
  }

  // "google.rpc.BadRequest {…}" for each detail of an error, as far as the server describes it.
  void show_details(const Status& status) {
    const auto details = error_details(status);
    if (!details) std::cerr << "  details: " << details.error().message() << '\n';
    if (!details) return;
    for (const google::protobuf::Any& detail : *details) {
      std::cerr << "  " << error_detail_type(detail) << ' ' << text_of(detail) << '\n';
    }
  }

 private:
  template <class T>
  T ask(Task<T> task) {
    return block_on(client_.conn().loop(), std::move(task));
  }

  Status unknown_service(const std::string& name) {
    const auto names = ask(reflection_.list_services(client_.context()));
    if (names && std::ranges::find(*names, name) != names->end()) {
      return Status::unimplemented("the server lists service " + name + ", but its reflection doesn't describe it");
    }
    const std::string others = names ? "; it has " + list(*names) : "";
    return Status::unimplemented("the server has no service " + name + others);
  }

  std::string text_of(const google::protobuf::Any& detail) {
    const Context context = Context().with_timeout(std::chrono::seconds{1});
    const std::string name(error_detail_type(detail));
    const auto described = ask(reflection_.find_message(context, name));
    // The standard ones are known without a server's help.
    const google::protobuf::Descriptor* type =
        described ? *described : google::rpc::ErrorInfo::descriptor()->file()->pool()->FindMessageTypeByName(name);
    const std::string size = "(" + std::to_string(detail.value().size()) + " bytes)";
    if (type == nullptr) return size;
    const Result<std::string> json = JsonMessages(*type).to_json(Bytes::copy_of(detail.value()));
    return json ? *json : size;
  }

  Client& client_;
  ReflectionClient reflection_;
};

Status make_call(const CallCommandOptions& options, Described& described, Client& client, const Metadata& metadata) {
  const Result<MethodName> name = parse_method_name(options.method);
  if (!name) return name.error();
  const auto method = described.method(*name);
  if (!method) return method.error();

  const bool streams = (*method)->client_streaming() || (*method)->server_streaming();
  const std::string timeout = options.timeout.empty() && !streams ? kUnaryTimeout : options.timeout;
  const Result<Duration> time = timeout.empty() ? Result<Duration>(Duration::max()) : parse_duration(timeout);
  if (!time) return time.error();

  TextInMemory text(options.json ? *options.json : std::string_view());
  StandardInput standard_input;
  const bool typed = options.json && *options.json != "-";
  // Nobody types the one request of a method by mistake: without any, it's empty.
  const bool nothing = !options.json && !(*method)->client_streaming() && ::isatty(STDIN_FILENO) == 1;
  const MethodCall call{
      .conn = client.conn(),
      .method = **method,
      .context = timeout.empty() ? Context() : Context().with_timeout(*time),
      .metadata = metadata,
      .input = typed || nothing ? static_cast<TextSource&>(text) : standard_input,
      .output = std::cout,
      .on_end = [&standard_input] { standard_input.stop(); },
  };
  return run(call);
}

int call(const CallCommandOptions& options) {
  Metadata metadata;
  for (const std::string& header : options.headers) {
    if (Status status = add_header(header, metadata); !status) return fail(status);
  }
  if (const Result<Address> address = Address::parse(options.server); !address) {
    return fail(Status::invalid_argument("SERVER: " + std::string(address.error().message())));
  }
  // The time for asking the server what it has.
  const std::string timeout = options.timeout.empty() ? kUnaryTimeout : options.timeout;
  const Result<std::unique_ptr<Client>> client = Client::create(options.server, timeout, options.tls);
  if (!client) return fail(client.error());
  Described described(**client, metadata);
  const Status status = make_call(options, described, **client, metadata);
  if (status) return kExitOk;
  fail(status);
  described.show_details(status);
  return status.code() == StatusCode::kNotFound ? kExitNotFound : kExitError;
}

}  // namespace

std::function<int()> add_call(CLI::App& program) {
  auto options = std::make_shared<CallCommandOptions>();
  CLI::App& command = *program.add_subcommand(
      "call",
      "Call any method of any gRPC server that has reflection; messages are JSON. Exit code 0: OK; 1: the status is "
      "NOT_FOUND; 2: any other error.");
  command.add_option("SERVER", options->server, "The server")->required()->type_name("HOST:PORT");
  command.add_option("METHOD", options->method, "What to call")->required()->type_name("package.Service/Method");
  command
      .add_option("JSON", options->json,
                  "The request, or several for a method to which the client streams. Default, or -: from standard "
                  "input, each sent as soon as it has been read")
      ->type_name("JSON");
  command
      .add_option("--header", options->headers,
                  "Metadata to send, \"key: value\", once for each; the value of a key that ends in -bin is base64")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("HEADER");
  options->tls.add_to(command);
  command
      .add_option("--timeout", options->timeout,
                  "How long to wait, such as 250ms, 1s, 1m. Default: 5s, and for ever if the method streams")
      ->type_name("DURATION");
  command.footer(
      "Answers are written to standard output as they come, each on a line of its own. No input at all is one empty\n"
      "request for a method that takes one.\n"
      "  gaggle call 127.0.0.1:7001 groupcachepb.GroupCache/Get '{\"groupname\": \"scores\", \"key\": \"Tom\"}'\n"
      "  gaggle call 127.0.0.1:7001 grpc.health.v1.Health/Watch '{}'");
  return [options] { return call(*options); };
}

}  // namespace gaggle::cli
