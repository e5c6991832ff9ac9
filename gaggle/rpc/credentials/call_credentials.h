// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gaggle/base/result.h"
#include "gaggle/net/task.h"
#include "gaggle/rpc/metadata.h"

namespace gaggle {

// The call that credentials are for. Views that are good until the answer has been given.
struct CallCredentialsRequest {
  std::string_view authority;  // whom it's for, as in `:authority`
  std::string_view method;     // "/package.Service/Method"
};

// "https://scores.example/package.Service": whom a token is for. Port 443 isn't written.
std::string service_url(const CallCredentialsRequest& request);

// Says who a call comes from: metadata that is added to it, an `authorization` token for instance.
//
// One object serves any number of connections and calls at once, on any thread, and outlives them.
// It's given to all calls of a connection (ClientConnOptions::call_credentials), to one call
// (CallOptions::credentials), or both: then the connection's metadata comes first. It's asked for each
// attempt at a call, when that has found a connection: a retry, a hedge and what goes to another server
// come with what is good then. grpc++'s CallCredentials, grpc-go's PerRPCCredentials.
//
// A connection that others can read refuses calls with credentials: UNAUTHENTICATED, before anything
// is sent.
class CallCredentials {
 public:
  using Answer = Result<std::shared_ptr<const Metadata>>;

  virtual ~CallCredentials() = default;

  // Awaited on the connection's loop, within the call's context: a call that ends cancels it, and waits
  // for it. What is known already is best given as a Task::ready, which costs no coroutine. An error ends
  // the attempt, and the call unless that is retried; codes that would look like the server's own, such
  // as NOT_FOUND, become INTERNAL (gRFC A54), and so do an exception and metadata that can't travel
  // (Metadata::check). Null adds nothing.
  virtual Task<Answer> metadata(CallCredentialsRequest request) = 0;
  // False: others may read it on the way.
  virtual bool requires_privacy() const noexcept { return true; }
};

}  // namespace gaggle
