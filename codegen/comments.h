// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/printer.h>

#include <string>

namespace gaggle::codegen {

// The comment that stands before a service or method in the proto (or, without one, behind it on the
// line), as C++ "//" lines, each ended; empty when there is none.
std::string comment_of(const google::protobuf::ServiceDescriptor& service);
std::string comment_of(const google::protobuf::MethodDescriptor& method);

// Prints such lines at the printer's indentation; what looks like a variable in them is left alone.
void print_comment(const std::string& comment, google::protobuf::io::Printer& out);

}  // namespace gaggle::codegen
