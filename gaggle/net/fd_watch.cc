// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/fd_watch.h"

#include <asio/posix/basic_stream_descriptor.hpp>
#include <utility>

#include "gaggle/net/handler_memory.h"
#include "gaggle/net/loop.h"

namespace gaggle {

// Held by the watch and by every pending operation: an operation ends in the io_context's own time,
// also when the watch is long gone.
struct FdWatch::State : LocalRefCounted<FdWatch::State> {
  // There is one for each idle connection: as large as what Asio 1.22 asks for, and no larger.
  using ReadMemory = HandlerMemory<104>;
  explicit State(Loop& owner) : loop(owner), descriptor(owner.executor()) {}

  void ended(Waiter*& whose, bool& pending) {
    pending = false;
    Waiter* waiter = std::exchange(whose, nullptr);
    if (waiter == nullptr) return;  // closed, or nobody waits any more
    const Loop::Readiness readiness(loop);
    waiter->on_ready();
  }

  Loop& loop;
  asio::posix::basic_stream_descriptor<Loop::Executor> descriptor;
  Waiter* reader = nullptr;
  Waiter* writer = nullptr;
  bool reading = false;  // an operation is under way; it serves whoever waits when it ends
  bool writing = false;
  ReadMemory read_memory;
};

struct FdWatch::ReadHandler {
  using allocator_type = HandlerAllocator<void, State::ReadMemory>;
  allocator_type get_allocator() const noexcept { return allocator_type(state->read_memory); }
  void operator()(const asio::error_code&) { state->ended(state->reader, state->reading); }

  Ref<State> state;
};

struct FdWatch::WriteHandler {
  void operator()(const asio::error_code&) { state->ended(state->writer, state->writing); }

  Ref<State> state;
};

FdWatch::FdWatch(Loop& loop) : state_(make_ref<State>(loop)) {}

FdWatch::~FdWatch() { close(); }

Status FdWatch::open(FileDescriptor descriptor) {
  asio::error_code error;
  state_->descriptor.assign(descriptor.get(), error);
  if (error) return Status::unavailable("the system can't watch the descriptor: " + error.message());
  static_cast<void>(descriptor.release());
  return Status::ok();
}

int FdWatch::get() const noexcept { return state_->descriptor.is_open() ? state_->descriptor.native_handle() : -1; }

Loop& FdWatch::loop() const noexcept { return state_->loop; }

void FdWatch::wait_readable(Waiter& waiter) {
  state_->reader = &waiter;
  if (std::exchange(state_->reading, true)) return;
  state_->descriptor.async_wait(asio::posix::descriptor_base::wait_read, ReadHandler{state_});
}

void FdWatch::wait_writable(Waiter& waiter) {
  state_->writer = &waiter;
  if (std::exchange(state_->writing, true)) return;
  state_->descriptor.async_wait(asio::posix::descriptor_base::wait_write, WriteHandler{state_});
}

void FdWatch::cancel_waits() noexcept {
  state_->reader = nullptr;
  state_->writer = nullptr;
}

void FdWatch::close() noexcept {
  cancel_waits();
  asio::error_code ignored;
  state_->descriptor.close(ignored);
}

}  // namespace gaggle
