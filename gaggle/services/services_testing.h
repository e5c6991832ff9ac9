// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "gaggle/net/loop_group.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/rpc/in_process.h"

namespace gaggle {

// A server and its client on virtual time: services are registered with `*conn` and called through it.
struct ServicesWorld {
  VirtualLoop time;
  LoopGroup loops{time.loop};
  std::unique_ptr<InProcessConn> conn;

  explicit ServicesWorld(InProcessOptions options = {})
      : conn(std::move(*InProcessConn::create(loops, std::move(options)))) {}
  ~ServicesWorld() { close(); }

  // Ends all calls; before the services go.
  void close() {
    conn.reset();
    time.settle();
  }
  template <class T>
  T run(Task<T> task, const Context& context = {}) {
    return time.run(std::move(task), context);
  }
  void settle() { time.settle(); }
};

}  // namespace gaggle
