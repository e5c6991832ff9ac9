// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/in_process_pipe.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "gaggle/base/ref.h"
#include "gaggle/net/loop.h"

namespace gaggle {
namespace {

class End;

// Bytes on their way in one direction. Lives as long as either end.
struct Pipe : LocalRefCounted<Pipe> {
  std::string bytes;
  size_t read = 0;        // of bytes
  End* reader = nullptr;  // null once it has closed
  End* writer = nullptr;

  size_t waiting() const { return bytes.size() - read; }
  bool readable() const { return waiting() != 0 || writer == nullptr; }
  bool writable() const { return waiting() < kInProcessPipeBytes || reader == nullptr; }
};

class End final : public ByteStream {
 public:
  End(Loop& loop, Ref<Pipe> out, Ref<Pipe> in) : loop_(loop), out_(std::move(out)), in_(std::move(in)) {
    out_->writer = this;
    in_->reader = this;
  }
  ~End() override { End::close(); }

  Loop& loop() const noexcept override { return loop_; }
  IoResult read(std::span<uint8_t> buffer) override;
  IoResult write(std::span<const iovec> pieces) override;
  void wait_readable(Waiter& waiter) override {
    wants_read_ = &waiter;
    look();
  }
  void wait_writable(Waiter& waiter) override {
    wants_write_ = &waiter;
    look();
  }
  void cancel_waits() noexcept override { wants_read_ = wants_write_ = nullptr; }
  void shutdown_write() noexcept override {
    if (out_->writer != this) return;
    out_->writer = nullptr;
    if (out_->reader != nullptr) out_->reader->look();
  }
  void close() noexcept override;
  const Address& peer_address() const noexcept override { return address_; }
  const Address& local_address() const noexcept override { return address_; }

 private:
  // If somebody waits for what has come true, they hear of it at the end of the turn.
  void look() noexcept {
    const bool ready = (wants_read_ != nullptr && in_->readable()) || (wants_write_ != nullptr && out_->writable());
    if (ready) loop_.defer(tell_);
  }
  // One at a time: a waiter may destroy this.
  void tell() {
    if (wants_write_ != nullptr && out_->writable()) {
      Waiter* const waiter = std::exchange(wants_write_, nullptr);
      look();
      waiter->on_ready();
    } else if (wants_read_ != nullptr && in_->readable()) {
      std::exchange(wants_read_, nullptr)->on_ready();
    }
  }

  Loop& loop_;
  const Ref<Pipe> out_;
  const Ref<Pipe> in_;
  const Address address_ = Address::unix_path(kInProcessPath);
  Waiter* wants_read_ = nullptr;
  Waiter* wants_write_ = nullptr;
  HookOf<&End::tell> tell_{*this};
};

IoResult End::read(std::span<uint8_t> buffer) {
  if (in_->reader != this) return IoResult::failed(Status::unavailable("read: the stream is closed"));
  const size_t count = std::min(buffer.size(), in_->waiting());
  if (count == 0) return in_->writer == nullptr ? IoResult::eof() : IoResult::would_block();
  std::memcpy(buffer.data(), in_->bytes.data() + in_->read, count);
  in_->read += count;
  if (in_->waiting() == 0) {
    in_->bytes.clear();
    in_->read = 0;
  }
  if (in_->writer != nullptr) in_->writer->look();
  return IoResult::done(count);
}

IoResult End::write(std::span<const iovec> pieces) {
  if (out_->writer != this) return IoResult::failed(Status::unavailable("write: the stream is closed"));
  if (out_->reader == nullptr) return IoResult::failed(Status::unavailable("write: the other end has closed"));
  size_t offered = 0;
  size_t taken = 0;
  if (out_->read != 0) out_->bytes.erase(0, std::exchange(out_->read, 0));
  for (const iovec& piece : pieces) {
    offered += piece.iov_len;
    const size_t room = kInProcessPipeBytes - std::min(kInProcessPipeBytes, out_->waiting());
    const size_t part = std::min(piece.iov_len, room);
    out_->bytes.append(static_cast<const char*>(piece.iov_base), part);
    taken += part;
  }
  if (taken == 0) return offered == 0 ? IoResult::done(0) : IoResult::would_block();
  out_->reader->look();
  return IoResult::done(taken);
}

void End::close() noexcept {
  cancel_waits();
  tell_.cancel();
  shutdown_write();
  if (in_->reader != this) return;
  in_->reader = nullptr;
  if (in_->writer != nullptr) in_->writer->look();
}

}  // namespace

std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>> make_in_process_pipe(Loop& loop) {
  Ref<Pipe> there = make_ref<Pipe>();
  Ref<Pipe> back = make_ref<Pipe>();
  return {std::make_unique<End>(loop, there, back), std::make_unique<End>(loop, back, there)};
}

}  // namespace gaggle
