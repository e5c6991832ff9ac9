// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "gaggle/base/bytes.h"
#include "gaggle/rpc/message.h"
#include "gaggle/rpc/server_stream.h"

namespace gaggle {

// Sends back what comes, as raw bytes, until the client has said its last. As a StreamDesc wants its handler.
inline Task<Status> echo_bytes(void*, ServerStream& stream) {
  Bytes message;
  for (;;) {
    Result<bool> more = co_await stream.recv(message_of(message));
    if (!more) co_return more.error();
    if (!*more) co_return Status::ok();
    Status sent = co_await stream.send(message_of(std::as_const(message)));
    if (!sent) co_return sent;
  }
}

}  // namespace gaggle
