// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/cli/json_reader.h"
#include "gaggle/rpc/client_conn_interface.h"

namespace gaggle::cli {

// "package.Service/Method" (or with a dot, or a slash in front) taken apart.
struct MethodName {
  std::string service;
  std::string method;
};
// INVALID_ARGUMENT for anything else.
Result<MethodName> parse_method_name(std::string_view text);

// What one call of `gaggle call` is made of. Everything outlives the call.
struct MethodCall {
  ClientConnInterface& conn;
  const google::protobuf::MethodDescriptor& method;
  Context context;
  const Metadata& metadata;
  TextSource& input;     // the requests, as JSON
  std::ostream& output;  // the answers, as JSON, one per line, as they come
  // Called on the loop's thread when the call has ended: nobody needs more input.
  std::function<void()> on_end = [] {};
};

// Makes the call, whichever of the four kinds it is, and gives its status. A client that streams sends
// each request as soon as it can be read; for other methods the input is read to its end before anything
// is sent: one request, or none, which is an empty message. INVALID_ARGUMENT, with the place, for input
// that is no message of the method; a stream is cancelled then. DATA_LOSS when the answers can't be
// decoded or written. Blocks; not on the connection's loop.
Status run(const MethodCall& call);

}  // namespace gaggle::cli
