// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

// One end of a TCP connection on which both sides send messages of fixed sizes, whose content is nobody's business:
// it counts what has arrived, and sends what is owed from a buffer of zeros. What a protocol could reach at best.
class TcpPump {
 public:
  // `zeros` is shared by all pumps.
  TcpPump(int fd, const std::vector<char>& zeros) : fd_(fd), zeros_(zeros) {}
  ~TcpPump();
  TcpPump(const TcpPump&) = delete;
  TcpPump& operator=(const TcpPump&) = delete;

  int fd() const { return fd_; }
  void set_incoming_bytes(std::size_t bytes) { incoming_bytes_ = bytes; }

  // Reads once; the number of messages that are complete by it, or -1 when the connection is over.
  ssize_t receive(std::vector<char>& buffer);
  // `bytes` more to send.
  void owe(std::uint64_t bytes) { owed_ += bytes; }
  // Sends as much as the socket takes; false when the connection is over.
  bool send_owed();
  // Whether it waits for the socket to take more.
  bool blocked() const { return owed_ != 0; }

 private:
  int fd_;
  const std::vector<char>& zeros_;
  std::size_t incoming_bytes_ = 1;
  std::size_t received_ = 0;  // of the message under way
  std::uint64_t owed_ = 0;
};

// What the client says first: the sizes of its requests and of the answers it wants.
struct TcpSizes {
  std::uint32_t request_bytes;
  std::uint32_t response_bytes;
};

// A nonblocking socket that doesn't wait for acknowledgements.
void prepare_socket(int fd);

}  // namespace bench
