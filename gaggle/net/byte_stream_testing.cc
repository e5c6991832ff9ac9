// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/byte_stream_testing.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

#include "gaggle/net/loop.h"

namespace gaggle {
namespace {

// One direction. Shared by both ends and by what is posted for it.
class Pipe : public std::enable_shared_from_this<Pipe> {
 public:
  Pipe(Loop& loop, const PipeOptions& options) : loop_(loop), options_(options), arrival_(loop, *this) {}

  IoResult write(std::span<const iovec> pieces) {
    if (!broken_.is_ok()) return IoResult::failed(broken_);
    if (writer_closed_) return IoResult::failed(Status::unavailable("write: the stream is closed"));
    if (reader_closed_) return IoResult::failed(Status::unavailable("write: broken pipe"));
    std::string taken;
    size_t offered = 0;
    const size_t room = std::min(options_.capacity_bytes - buffered_, options_.max_write_bytes);
    for (const iovec& piece : pieces) {
      offered += piece.iov_len;
      taken.append(static_cast<const char*>(piece.iov_base), std::min(piece.iov_len, room - taken.size()));
    }
    if (taken.empty()) return offered == 0 ? IoResult::done(0) : IoResult::would_block();
    const size_t count = taken.size();
    ++writes_;
    written_ += count;
    buffered_ += count;
    chunks_.push_back({deadline_after(loop_.now(), options_.delay), std::move(taken)});
    changed();
    return IoResult::done(count);
  }

  IoResult read(std::span<uint8_t> buffer) {
    if (!broken_.is_ok()) return IoResult::failed(broken_);
    if (reader_closed_) return IoResult::failed(Status::unavailable("read: the stream is closed"));
    if (!has_arrived()) return at_end() ? IoResult::eof() : IoResult::would_block();
    Chunk& chunk = chunks_.front();
    const size_t count = std::min({buffer.size(), options_.max_read_bytes, chunk.bytes.size() - chunk.offset});
    std::memcpy(buffer.data(), chunk.bytes.data() + chunk.offset, count);
    chunk.offset += count;
    if (chunk.offset == chunk.bytes.size()) chunks_.pop_front();
    buffered_ -= count;
    changed();
    return IoResult::done(count);
  }

  void wait_readable(Waiter& waiter) {
    reader_ = &waiter;
    changed();
  }
  void wait_writable(Waiter& waiter) {
    writer_ = &waiter;
    changed();
  }
  void forget_reader() noexcept { reader_ = nullptr; }
  void forget_writer() noexcept { writer_ = nullptr; }
  void close_writer() {
    writer_closed_ = true;
    end_at_ = deadline_after(loop_.now(), options_.delay);
    changed();
  }
  void close_reader() {
    reader_closed_ = true;
    changed();
  }
  void break_with(const Status& error) {
    if (broken_.is_ok()) broken_ = error;
    changed();
  }
  void hold(bool on) {
    held_ = on;
    changed();
  }
  uint64_t writes() const noexcept { return writes_; }
  uint64_t written() const noexcept { return written_; }

 private:
  struct Chunk {
    TimePoint arrives;
    std::string bytes;
    size_t offset = 0;
  };

  bool has_arrived() const { return !held_ && !chunks_.empty() && chunks_.front().arrives <= loop_.clock().now(); }
  bool at_end() const { return !held_ && chunks_.empty() && writer_closed_ && end_at_ <= loop_.clock().now(); }
  bool readable() const { return !broken_.is_ok() || reader_closed_ || has_arrived() || at_end(); }
  bool writable() const {
    return !broken_.is_ok() || writer_closed_ || reader_closed_ || buffered_ < options_.capacity_bytes;
  }

  // Waiters are told from the loop's queue, never from within a read or write.
  void changed() {
    if (held_) {
      arrival_.disarm();
    } else if (!chunks_.empty() && !has_arrived()) {
      arrival_.arm_at(chunks_.front().arrives);
    } else if (chunks_.empty() && writer_closed_ && !at_end()) {
      arrival_.arm_at(end_at_);
    }
    if (telling_ || !((reader_ != nullptr && readable()) || (writer_ != nullptr && writable()))) return;
    telling_ = true;
    loop_.post([self = shared_from_this()] { self->tell(); });
  }
  void tell() {
    telling_ = false;
    if (writer_ != nullptr && writable()) std::exchange(writer_, nullptr)->on_ready();
    if (reader_ != nullptr && readable()) std::exchange(reader_, nullptr)->on_ready();
  }

  Loop& loop_;
  const PipeOptions options_;
  std::deque<Chunk> chunks_;
  size_t buffered_ = 0;
  Status broken_;
  bool writer_closed_ = false;
  bool reader_closed_ = false;
  bool held_ = false;
  bool telling_ = false;
  TimePoint end_at_{};
  Waiter* reader_ = nullptr;
  Waiter* writer_ = nullptr;
  uint64_t writes_ = 0;
  uint64_t written_ = 0;
  TimerOf<&Pipe::changed> arrival_;
};

class PipeEnd final : public PipeStream {
 public:
  PipeEnd(Loop& loop, std::shared_ptr<Pipe> out, std::shared_ptr<Pipe> in, std::string_view self, std::string_view peer)
      : loop_(loop),
        out_(std::move(out)),
        in_(std::move(in)),
        local_(Address::unix_path(self)),
        peer_(Address::unix_path(peer)) {}
  ~PipeEnd() override { PipeEnd::close(); }

  Loop& loop() const noexcept override { return loop_; }
  IoResult read(std::span<uint8_t> buffer) override { return in_->read(buffer); }
  IoResult write(std::span<const iovec> pieces) override { return out_->write(pieces); }
  void wait_readable(Waiter& waiter) override { in_->wait_readable(waiter); }
  void wait_writable(Waiter& waiter) override { out_->wait_writable(waiter); }
  void cancel_waits() noexcept override {
    in_->forget_reader();
    out_->forget_writer();
  }
  void shutdown_write() noexcept override { out_->close_writer(); }
  void close() noexcept override {
    if (std::exchange(closed_, true)) return;
    cancel_waits();
    out_->close_writer();
    in_->close_reader();
  }
  const Address& peer_address() const noexcept override { return peer_; }
  const Address& local_address() const noexcept override { return local_; }

  void break_connection(const Status& error) override {
    out_->break_with(error);
    in_->break_with(error);
  }
  void hold_writes(bool hold) override { out_->hold(hold); }
  uint64_t write_calls() const noexcept override { return out_->writes(); }
  uint64_t bytes_written() const noexcept override { return out_->written(); }
  bool closed() const noexcept override { return closed_; }

 private:
  Loop& loop_;
  std::shared_ptr<Pipe> out_;
  std::shared_ptr<Pipe> in_;
  Address local_;
  Address peer_;
  bool closed_ = false;
};

}  // namespace

StreamPair make_stream_pair(Loop& loop, const PipeOptions& client_to_server, const PipeOptions& server_to_client) {
  auto up = std::make_shared<Pipe>(loop, client_to_server);
  auto down = std::make_shared<Pipe>(loop, server_to_client);
  return {std::make_unique<PipeEnd>(loop, up, down, "@pipe/client", "@pipe/server"),
          std::make_unique<PipeEnd>(loop, down, up, "@pipe/server", "@pipe/client")};
}

}  // namespace gaggle
