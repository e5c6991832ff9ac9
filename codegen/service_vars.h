// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "codegen/names.h"

namespace gaggle::codegen {

// The two forms in which a service is served and called: typed messages, or their encodings.
enum class Form { kTyped, kRaw };

// Replacements for the printer's $name$; one map for a service, one for each of its methods.
using Vars = std::map<std::string, std::string>;

// $Service$ (its proto name), $full$ (package.Service), $file$, $Server$ (GroupCacheServer or
// GroupCacheRawServer), $Desc$, $streams$ and $methods$ (the descriptor tables).
Vars service_vars(const google::protobuf::ServiceDescriptor& service, Form form);

// The service's, and $name$ (proto), $Name$ (C++), $Raw$, $Async$, $Blocking$, $path$ (constant),
// $Request$, $Response$ (C++ types, Bytes in the raw form), $stream$ (its StreamDesc).
Vars method_vars(const Vars& service, const MethodNames& method, Form form);

// The type that a client's opening operation gives: BidiStreamingClient<...>.
std::string client_stream_type(const Vars& method, MethodKind kind);

// The parameters of a server's method, and the same without names.
std::string server_parameters(const Vars& method, MethodKind kind, bool named);

}  // namespace gaggle::codegen
