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
  using Memory = HandlerMemory<160>;
  struct Direction {
    Waiter* waiter = nullptr;
    bool pending = false;  // an operation is under way; it serves whoever waits when it ends
    Memory memory;
  };

  explicit State(Loop& owner) : loop(owner), descriptor(owner.executor()) {}

  void wait(Direction& direction, asio::posix::descriptor_base::wait_type kind, Waiter& waiter);

  Loop& loop;
  asio::posix::basic_stream_descriptor<Loop::Executor> descriptor;
  Direction reading;
  Direction writing;
};

struct FdWatch::Handler {
  using allocator_type = HandlerAllocator<void, State::Memory>;
  allocator_type get_allocator() const noexcept { return allocator_type((state.get()->*direction).memory); }

  void operator()(const asio::error_code&) {
    State::Direction& ended = state.get()->*direction;
    ended.pending = false;
    Waiter* waiter = std::exchange(ended.waiter, nullptr);
    if (waiter == nullptr) return;  // closed, or nobody waits any more
    const Loop::Enter enter(state->loop);
    state->loop.open_turn();
    waiter->on_ready();
  }

  Ref<State> state;
  State::Direction State::* direction;
};

void FdWatch::State::wait(Direction& direction, asio::posix::descriptor_base::wait_type kind, Waiter& waiter) {
  direction.waiter = &waiter;
  if (std::exchange(direction.pending, true)) return;
  State::Direction State::* which = &direction == &reading ? &State::reading : &State::writing;
  descriptor.async_wait(kind, Handler{Ref<State>::share(this), which});
}

FdWatch::FdWatch(Loop& loop) : loop_(loop), state_(make_ref<State>(loop)) {}

FdWatch::~FdWatch() { close(); }

Status FdWatch::open(FileDescriptor descriptor) {
  asio::error_code error;
  state_->descriptor.assign(descriptor.get(), error);
  if (error) return Status::unavailable("the system can't watch the descriptor: " + error.message());
  static_cast<void>(descriptor.release());
  return Status::ok();
}

int FdWatch::get() const noexcept { return state_->descriptor.is_open() ? state_->descriptor.native_handle() : -1; }

void FdWatch::wait_readable(Waiter& waiter) {
  state_->wait(state_->reading, asio::posix::descriptor_base::wait_read, waiter);
}

void FdWatch::wait_writable(Waiter& waiter) {
  state_->wait(state_->writing, asio::posix::descriptor_base::wait_write, waiter);
}

void FdWatch::cancel_waits() noexcept {
  state_->reading.waiter = nullptr;
  state_->writing.waiter = nullptr;
}

void FdWatch::close() noexcept {
  cancel_waits();
  asio::error_code ignored;
  state_->descriptor.close(ignored);
}

}  // namespace gaggle
