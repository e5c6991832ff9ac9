// SPDX-License-Identifier: Apache-2.0
//
// What stats handlers hear first of a server's call, and all that they hear of one that is refused.
#include "gaggle/net/loop.h"
#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/server_connection.h"
#include "gaggle/rpc/server_core.h"
#include "gaggle/rpc/server_request.h"
#include "gaggle/rpc/stats_tags.h"

namespace gaggle {

void ServerConnection::begin_stats(CallStats& call, const http2::HeaderBlock& block, const RequestHead& head) {
  const ServerMethod* const method = head.method;
  call.begin(*core_.stats_handlers(), loop().clock(),
             {.side = stats::Side::kServer,
              .time = {},
              .method = head.path,
              .static_method = method != nullptr && core_.methods().is_registered(*method),
              .client_streams = method != nullptr && method->client_streams,
              .server_streams = method != nullptr && method->server_streams,
              .deadline = deadline_after(loop().now(), head.timeout),
              .wait_for_ready = false,
              .previous_attempts = 0,
              .transparent_retry = false,
              .hedge = false,
              .connection = nullptr},
             stats_.get());
  call.header_received(*stats_, head.encoding != nullptr ? head.encoding->name() : std::string_view{},
                       {block, stats::Side::kServer});
}

void ServerConnection::tell_refused(const http2::HeaderBlock& block, const RequestHead& head, const Status& why,
                                    bool answered) {
  if (stats_ == nullptr) return;
  CallStats call;
  begin_stats(call, block, head);
  if (answered) call.trailer_sent(true);
  call.end(why);
}

}  // namespace gaggle
