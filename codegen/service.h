// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/printer.h>

namespace gaggle::codegen {

// What x.gaggle.h and x.gaggle.cc say about one service, inside the package's namespaces. The logic
// is in gaggle/rpc/generated.h; what is printed here is names and types.
void print_service_header(const google::protobuf::ServiceDescriptor& service, google::protobuf::io::Printer& printer);
void print_service_source(const google::protobuf::ServiceDescriptor& service, google::protobuf::io::Printer& printer);

}  // namespace gaggle::codegen
