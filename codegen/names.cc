// SPDX-License-Identifier: Apache-2.0
#include "codegen/names.h"

#include <google/protobuf/compiler/cpp/names.h>

#include <algorithm>
#include <array>
#include <set>

namespace gaggle::codegen {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

// The words of C++23, and macros that every program meets; sorted.
constexpr auto kTaken = std::to_array<std::string_view>(
    {"EOF",         "NULL",         "alignas",  "alignof",   "and",     "and_eq",     "asm",
     "assert",      "auto",         "bitand",   "bitor",     "bool",    "break",      "case",
     "catch",       "char",         "char16_t", "char32_t",  "char8_t", "class",      "co_await",
     "co_return",   "co_yield",     "compl",    "concept",   "const",   "const_cast", "consteval",
     "constexpr",   "constinit",    "continue", "decltype",  "default", "delete",     "do",
     "double",      "dynamic_cast", "else",     "enum",      "errno",   "explicit",   "export",
     "extern",      "false",        "float",    "for",       "friend",  "goto",       "if",
     "inline",      "int",          "linux",    "long",      "major",   "minor",      "mutable",
     "namespace",   "new",          "noexcept", "not",       "not_eq",  "nullptr",    "operator",
     "or",          "or_eq",        "private",  "protected", "public",  "register",   "reinterpret_cast",
     "requires",    "return",       "short",    "signed",    "sizeof",  "static",     "static_assert",
     "static_cast", "stderr",       "stdin",    "stdout",    "struct",  "switch",     "template",
     "this",        "thread_local", "throw",    "true",      "try",     "typedef",    "typeid",
     "typename",    "union",        "unix",     "unsigned",  "using",   "virtual",    "void",
     "volatile",    "wchar_t",      "while",    "xor",       "xor_eq"});
static_assert(std::ranges::is_sorted(kTaken));

// Macros of <limits.h> and <stdint.h>, which every protobuf header brings along; sorted.
constexpr auto kNumberMacros = std::to_array<std::string_view>(
    {"CHAR_BIT", "CHAR_MAX",  "CHAR_MIN", "INT_MAX",    "INT_MIN",   "LLONG_MAX", "LLONG_MIN",
     "LONG_MAX", "LONG_MIN",  "RAND_MAX", "SCHAR_MAX",  "SCHAR_MIN", "SHRT_MAX",  "SHRT_MIN",
     "SIZE_MAX", "UCHAR_MAX", "UINT_MAX", "ULLONG_MAX", "ULONG_MAX", "USHRT_MAX"});
static_assert(std::ranges::is_sorted(kNumberMacros));

bool is_taken(std::string_view name) {
  return std::ranges::binary_search(kTaken, name) || std::ranges::binary_search(kNumberMacros, name);
}

// What a service makes of its name at namespace scope.
std::vector<std::string> class_names(const std::string& service) {
  return {service + "ClientInterface",
          service + "Client",
          service + "Server",
          "Unimplemented" + service + "Server",
          "Unsafe" + service + "Server",
          service + "RawServer",
          "Unimplemented" + service + "RawServer",
          "Unsafe" + service + "RawServer"};
}

std::vector<std::string> scope_names(const ServiceDescriptor& service) {
  std::vector<std::string> names = class_names(service.name());
  for (const char* function : {"Register%Server", "Register%RawServer", "%_ServiceDesc", "%_RawServiceDesc"}) {
    std::string name = function;
    names.push_back(name.replace(name.find('%'), 1, service.name()));
  }
  return names;
}

MethodKind kind_of(const MethodDescriptor& method) {
  if (method.client_streaming()) return method.server_streaming() ? MethodKind::kBidi : MethodKind::kClientStreaming;
  return method.server_streaming() ? MethodKind::kServerStreaming : MethodKind::kUnary;
}

// Names already given away in one class.
class Scope {
 public:
  explicit Scope(std::vector<std::string> taken) : taken_(taken.begin(), taken.end()) {}

  std::string claim(std::string name) {
    while (is_taken(name) || !taken_.insert(name).second) name += '_';
    return name;
  }

 private:
  std::set<std::string> taken_;
};

}  // namespace

std::string cpp_namespace(const FileDescriptor& file) {
  std::string result;
  std::string_view rest = file.package();
  while (!rest.empty()) {
    size_t dot = std::min(rest.find('.'), rest.size());
    std::string_view name = rest.substr(0, dot);
    if (!result.empty()) result += "::";
    result += name;
    if (is_taken(name)) result += '_';
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  return result;
}

std::vector<MethodNames> method_names(const ServiceDescriptor& service) {
  std::vector<std::string> members = class_names(service.name());
  members.insert(members.end(), {"conn_", "Rule_"});
  Scope scope{members};
  std::vector<MethodNames> methods(static_cast<size_t>(service.method_count()));

  // Methods that can have their own name get it, whatever the order in the file; then those that
  // need another; then the forms that we add.
  auto claim_names = [&](bool plain) {
    for (MethodNames& method : methods) {
      const std::string& name = method.descriptor->name();
      if ((!is_taken(name) && std::ranges::find(members, name) == members.end()) == plain) {
        method.cpp = scope.claim(name);
      }
    }
  };
  size_t streams = 0;
  for (size_t i = 0; i < methods.size(); ++i) {
    MethodNames& method = methods[i];
    method.descriptor = service.method(static_cast<int>(i));
    method.kind = kind_of(*method.descriptor);
    method.constant = service.name() + "_" + method.descriptor->name() + "_FullMethodName";
    method.request = google::protobuf::compiler::cpp::QualifiedClassName(method.descriptor->input_type());
    method.response = google::protobuf::compiler::cpp::QualifiedClassName(method.descriptor->output_type());
    if (method.kind != MethodKind::kUnary) method.stream_index = streams++;
  }
  claim_names(true);
  claim_names(false);
  for (MethodNames& method : methods) {
    const std::string& name = method.descriptor->name();
    method.raw = scope.claim(name + "Raw");
    method.async = scope.claim("Async" + name);
    method.blocking = scope.claim("Blocking" + name);
  }
  return methods;
}

std::string find_collision(const ServiceDescriptor& service) {
  const FileDescriptor& file = *service.file();
  const std::string prefix = file.package().empty() ? "" : file.package() + ".";
  for (const std::string& name : scope_names(service)) {
    if (file.pool()->FindMessageTypeByName(prefix + name) != nullptr ||
        file.pool()->FindEnumTypeByName(prefix + name) != nullptr) {
      return "service " + service.full_name() + " needs the C++ name " + name + ", which " + prefix + name +
             " has already; rename one of them";
    }
  }
  // Services "A" and "ARaw" would both make ARawServer.
  const std::vector<std::string> own = scope_names(service);
  for (int i = 0; i < service.index(); ++i) {
    for (const std::string& name : scope_names(*file.service(i))) {
      if (std::ranges::find(own, name) == own.end()) continue;
      return "services " + file.service(i)->full_name() + " and " + service.full_name() + " both need the C++ name " +
             name + "; rename one of them";
    }
  }
  return {};
}

}  // namespace gaggle::codegen
