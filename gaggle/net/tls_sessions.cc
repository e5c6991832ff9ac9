// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/tls_sessions.h"

#include <algorithm>

#include "gaggle/net/tls_openssl.h"

namespace gaggle {
namespace {

constexpr ptrdiff_t kMaxPerName = 2;

}  // namespace

TlsSessions::~TlsSessions() {
  for (const Entry& entry : entries_) SSL_SESSION_free(entry.session);
}

void TlsSessions::add(std::string_view server_name, SSL_SESSION* session) {
  const std::lock_guard lock(mutex_);
  if (max_sessions_ == 0) return SSL_SESSION_free(session);
  const auto same = [&](const Entry& entry) { return entry.server_name == server_name; };
  auto oldest = entries_.end();
  if (std::ranges::count_if(entries_, same) >= kMaxPerName) {
    oldest = std::ranges::find_if(entries_, same);
  } else if (entries_.size() >= max_sessions_) {
    oldest = entries_.begin();
  }
  if (oldest != entries_.end()) {
    SSL_SESSION_free(oldest->session);
    entries_.erase(oldest);
  }
  entries_.push_back({std::string(server_name), session});
}

SSL_SESSION* TlsSessions::take(std::string_view server_name) {
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->server_name != server_name) {
      ++entry;
      continue;
    }
    SSL_SESSION* const session = entry->session;
    entry = entries_.erase(entry);
    if (SSL_SESSION_is_resumable(session) == 1) return session;
    SSL_SESSION_free(session);
  }
  return nullptr;
}

size_t TlsSessions::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace gaggle
