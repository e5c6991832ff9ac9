// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

struct ssl_session_st;

namespace gaggle {

struct FreeTlsSession {
  void operator()(ssl_session_st* session) const noexcept;
};
using TlsSessionPtr = std::unique_ptr<ssl_session_st, FreeTlsSession>;

// A client's tickets of earlier connections, by server name: the next handshake with the same server
// needs no certificates and no signatures. RFC 8446 §2.2.
//
// A TLS 1.3 ticket is given out once, as the RFC wants it (appendix C.4), so two are kept per name;
// beyond the bound, the ticket that was added first goes. Threads: any.
class TlsSessions {
 public:
  explicit TlsSessions(size_t max_sessions) : max_sessions_(max_sessions) {}
  TlsSessions(const TlsSessions&) = delete;
  TlsSessions& operator=(const TlsSessions&) = delete;

  void add(std::string_view server_name, TlsSessionPtr session);
  // Null when there is none that can still be used.
  TlsSessionPtr take(std::string_view server_name);
  size_t size() const;

 private:
  struct Entry {
    std::string server_name;
    TlsSessionPtr session;
  };

  const size_t max_sessions_;
  mutable std::mutex mutex_;  // guards what follows
  std::list<Entry> entries_;  // oldest first
};

}  // namespace gaggle
