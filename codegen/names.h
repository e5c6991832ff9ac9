// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>
#include <vector>

namespace gaggle::codegen {

// How proto names become C++ names. The proto name itself stays in paths, constants and messages.

// The namespace of a file's package, "a::b"; empty without one. A word that C++ has taken gets '_'
// behind it.
std::string cpp_namespace(const google::protobuf::FileDescriptor& file);

enum class MethodKind { kUnary, kServerStreaming, kClientStreaming, kBidi };

// One method with every name that its code needs.
struct MethodNames {
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  MethodKind kind = MethodKind::kUnary;
  std::string cpp;       // Get
  std::string raw;       // GetRaw
  std::string async;     // AsyncGet
  std::string blocking;  // BlockingGet
  std::string constant;  // GroupCache_Get_FullMethodName
  std::string request;   // ::groupcachepb::Request
  std::string response;
  size_t stream_index = 0;  // place among the service's streams
};

// The methods of a service, in the proto's order. Names are unique within the service: what would
// collide (BlockingGet of a method Get, beside a method BlockingGet) gets '_' behind it.
std::vector<MethodNames> method_names(const google::protobuf::ServiceDescriptor& service);

// Empty, or why the service can't be generated: one of its classes would have the name of something
// else in the package.
std::string find_collision(const google::protobuf::ServiceDescriptor& service);

}  // namespace gaggle::codegen
