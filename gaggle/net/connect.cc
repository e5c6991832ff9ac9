// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/connect.h"

#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <utility>
#include <vector>

#include "gaggle/net/loop.h"
#include "gaggle/net/readiness.h"
#include "gaggle/net/resolve.h"
#include "gaggle/net/socket_address.h"
#include "gaggle/net/socket_stream.h"
#include "gaggle/net/system_error.h"

namespace gaggle {
namespace {

using Connected = Result<std::unique_ptr<ByteStream>>;

Status cant_connect(const Address& address, int error_number) {
  return system_error(StatusCode::kUnavailable, address.to_string(), error_number);
}

int pending_error(int socket) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

// One address in numbers.
Task<Connected> connect_numeric(Loop& loop, const Address& address) {
  Result<SocketAddress> where = SocketAddress::of(address);
  if (!where) co_return where.error();
  FileDescriptor socket(::socket(where->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) co_return cant_connect(address, errno);
  const int descriptor = socket.get();

  const bool connected = ::connect(descriptor, where->get(), where->size) == 0;
  if (!connected && errno != EINPROGRESS) co_return cant_connect(address, errno);
  Connected stream = make_socket_stream(loop, std::move(socket));
  if (connected || !stream) co_return stream;

  Task<Status> waiting = until_writable(**stream);
  Status waited = co_await std::move(waiting);
  if (!waited.is_ok()) {
    co_return Status(waited.code(), address.to_string() + ": " + std::string(waited.message()));
  }
  const int error = pending_error(descriptor);
  if (error != 0) co_return cant_connect(address, error);
  co_return stream;
}

// A name's addresses, in order, until one answers or the task's context ends.
Task<Connected> connect_any(Loop& loop, Address address) {
  if (address.is_numeric()) co_return co_await connect_numeric(loop, address);
  const Context& context = co_await current_context();
  Result<std::vector<Address>> found = co_await resolve(loop, address.host, address.port);
  if (!found) co_return found.error();
  Status last;
  for (const Address& one : *found) {
    Connected stream = co_await connect_numeric(loop, one);
    if (stream || !context.status().is_ok()) co_return stream;
    last = stream.error();
  }
  co_return last;
}

}  // namespace

Task<Connected> connect(Loop& loop, Address address, Context context) {
  assert(loop.is_current());
  Status status = context.status();
  if (!status.is_ok()) co_return status;
  auto attempt = connect_any(loop, std::move(address));
  co_return co_await in_context(context, std::move(attempt));
}

}  // namespace gaggle
