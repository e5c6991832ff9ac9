// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "gaggle/base/clock.h"
#include "gaggle/net/byte_stream.h"

namespace gaggle {

// How one direction of a stream in memory behaves.
struct PipeOptions {
  size_t max_read_bytes = SIZE_MAX;         // a read gives at most so much: 1 cuts a message at every byte
  size_t max_write_bytes = SIZE_MAX;        // a write takes at most so much
  size_t capacity_bytes = size_t{1} << 20;  // what is written and not yet read; a full pipe blocks the writer
  Duration delay{};                         // from write to read, on the loop's timers, so on virtual time
};

// One end of a connection in memory, for tests. Everything ByteStream says holds; both ends live on
// one loop.
class PipeStream : public ByteStream {
 public:
  // From now on both ends give `error` for every read and write, at once: a connection reset.
  virtual void break_connection(const Status& error = Status::unavailable("connection reset")) = 0;
  // Stops moving bytes from this end to the other, until it's called with false: a peer that went
  // silent without closing. What is written meanwhile arrives afterwards.
  virtual void hold_writes(bool hold) = 0;

  virtual uint64_t write_calls() const noexcept = 0;  // that moved at least one byte
  virtual uint64_t bytes_written() const noexcept = 0;
  virtual bool closed() const noexcept = 0;
};

struct StreamPair {
  std::unique_ptr<PipeStream> client;
  std::unique_ptr<PipeStream> server;
};

StreamPair make_stream_pair(Loop& loop, const PipeOptions& client_to_server = {},
                            const PipeOptions& server_to_client = {});

}  // namespace gaggle
