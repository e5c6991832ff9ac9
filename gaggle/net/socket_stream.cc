// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/socket_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>
#include <optional>

#include "gaggle/net/fd_watch.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/socket_address.h"
#include "gaggle/net/system_error.h"

namespace gaggle {
namespace {

class SocketStream final : public ByteStream {
 public:
  explicit SocketStream(Loop& loop) : watch_(loop) {}

  Status open(FileDescriptor socket) {
    // Fails on a unix socket, which has no such delay.
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return watch_.open(std::move(socket));
  }

  Loop& loop() const noexcept override { return watch_.loop(); }

  IoResult read(std::span<uint8_t> buffer) override {
    for (;;) {
      const ssize_t count = ::recv(watch_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count > 0) return IoResult::done(static_cast<size_t>(count));
      if (count == 0) return IoResult::eof();
      if (errno != EINTR) return failed("read");
    }
  }

  IoResult write(std::span<const iovec> pieces) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg only reads it
    message.msg_iovlen = std::min<size_t>(pieces.size(), IOV_MAX);
    for (;;) {
      const ssize_t count = ::sendmsg(watch_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count >= 0) return IoResult::done(static_cast<size_t>(count));
      if (errno != EINTR) return failed("write");
    }
  }

  void wait_readable(Waiter& waiter) override { watch_.wait_readable(waiter); }
  void wait_writable(Waiter& waiter) override { watch_.wait_writable(waiter); }
  void cancel_waits() noexcept override { watch_.cancel_waits(); }
  void shutdown_write() noexcept override { ::shutdown(watch_.get(), SHUT_WR); }
  void close() noexcept override { watch_.close(); }

  const Address& peer_address() const noexcept override {
    std::optional<Address>& peer = addresses().peer;
    if (!peer) peer = SocketAddress::peer_of(watch_.get()).to_address();
    return *peer;
  }
  const Address& local_address() const noexcept override {
    std::optional<Address>& local = addresses().local;
    if (!local) local = SocketAddress::local_of(watch_.get()).to_address();
    return *local;
  }

 private:
  static IoResult failed(std::string_view what) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return IoResult::would_block();
    return IoResult::failed(system_error(StatusCode::kUnavailable, what, errno));
  }

  struct Addresses {
    std::optional<Address> peer;
    std::optional<Address> local;
  };
  Addresses& addresses() const {
    if (addresses_ == nullptr) addresses_ = std::make_unique<Addresses>();
    return *addresses_;
  }

  FdWatch watch_;
  mutable std::unique_ptr<Addresses> addresses_;  // asked for rarely, so made when asked for
};

}  // namespace

Result<std::unique_ptr<ByteStream>> make_socket_stream(Loop& loop, FileDescriptor socket) {
  auto stream = std::make_unique<SocketStream>(loop);
  Status opened = stream->open(std::move(socket));
  if (!opened.is_ok()) return opened;
  return std::unique_ptr<ByteStream>(std::move(stream));
}

}  // namespace gaggle
