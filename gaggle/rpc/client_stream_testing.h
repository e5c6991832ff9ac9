// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gaggle/rpc/client_testing.h"

namespace gaggle {

// A stream that is open, and what is done on it.
struct StreamWorld : ClientWorld {
  std::unique_ptr<ClientStream> stream;

  void open(const StreamDesc& desc, const Context& context = {}, CallOptions options = {}) {
    if (!conn) connect();
    Running<Result<std::unique_ptr<ClientStream>>> opening(
        *this, conn->new_stream(context, desc, "/test.Service/Stream", options));
    settle();
    ASSERT_TRUE(opening.done());
    auto opened = opening.take();
    ASSERT_TRUE(opened) << opened.error().to_string();
    stream = std::move(*opened);
    settle();
  }
  // Runs one operation to its end.
  template <class T>
  T now(Task<T> task) {
    return time.run(std::move(task));
  }
  Result<bool> send(std::string_view text) {
    const Bytes message = Bytes::copy_of(text);
    Task<Result<bool>> task = stream->send(message_of(message));
    return now(std::move(task));
  }
  // The next message, "(end)", or the status.
  std::string recv() {
    Bytes message;
    Task<Result<bool>> task = stream->recv(message_of(message));
    Result<bool> more = now(std::move(task));
    if (!more) return more.error().to_string();
    return *more ? std::string(message.view()) : "(end)";
  }
  ~StreamWorld() {
    stream.reset();
    settle();
  }
};

}  // namespace gaggle
