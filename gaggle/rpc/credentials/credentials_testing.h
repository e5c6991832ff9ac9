// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gaggle/net/block_on.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/stream_security.h"
#include "gaggle/net/tls_testing.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/credentials/tls.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/server.h"
#include "gaggle/rpc/server_context.h"
#include "gaggle/rpc/service.h"

namespace gaggle {

// A service that answers with what it was told of its caller: "TLSv1.3 CN=client authority", and with
// the metadata whose key the request names.
class WhoService final : public Service {};

inline Task<Status> answer_who(void*, ServerContext& context, UnaryServerCall& call, UnaryServerInterceptor*) {
  if (Status decoded = call.decode(); !decoded) co_return decoded;
  const std::string key(static_cast<Bytes*>(call.request().object)->view());
  std::string text;
  if (key.empty()) {
    const auto& security = context.peer().security;
    text = security == nullptr ? "plain" : security->protocol;
    if (security != nullptr) text += " " + security->peer_certificate.subject;
    text.append(" ").append(context.metadata().get(":authority").value_or("none"));
  } else {
    for (const std::string_view value : context.metadata().get_all(key)) {
      text.append(text.empty() ? "" : "|").append(value);
    }
  }
  *static_cast<Bytes*>(call.response().object) = Bytes::copy_of(text);
  co_return Status::ok();
}

inline void* fit_who(Service& service) { return dynamic_cast<WhoService*>(&service); }
inline const MethodDesc kWhoMethods[] = {{"Ask", message_type<Bytes>(), message_type<Bytes>(), answer_who}};
inline const ServiceDesc kWho = {"test.Who", "Who", fit_who, kWhoMethods, {}, "by hand"};

// What the service answers, or the status as text. On the clock of the loop that it runs on, which may be a virtual
// one.
inline Task<std::string> ask_who(ClientConnInterface& conn, std::string key = {}, CallOptions options = {}) {
  const Bytes request = Bytes::copy_of(key);
  Bytes response;
  const Context context = Context{}.with_clock(Loop::current()->clock()).with_timeout(std::chrono::minutes{1});
  Task<Status> calling = conn.invoke(context, "/test.Who/Ask", message_of(request), message_of(response), options);
  Status status = co_await std::move(calling);
  co_return status ? std::string(response.view()) : status.to_string();
}

}  // namespace gaggle
