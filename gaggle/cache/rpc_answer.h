// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/base/bytes.h"
#include "gaggle/rpc/protobuf.h"
#include "groupcache.pb.h"

namespace gaggle::cache {

// A groupcachepb.Response whose value is shared with the cache instead of copied: however many callers
// get a value, and however long they take to read it, it lies in memory once.
//
// On the wire it is that message, with the value after the other fields.
struct RpcAnswer {
  groupcachepb::Response fields;  // all but the value
  Bytes value;
};

}  // namespace gaggle::cache

template <>
struct gaggle::MessageTypeOf<gaggle::cache::RpcAnswer> {
  static const MessageType kTable;
  static constexpr const MessageType* get() noexcept { return &kTable; }
};
