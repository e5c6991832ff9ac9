// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/tls_sessions.h"

#include <algorithm>
#include <utility>

#include "gaggle/net/tls_openssl.h"

namespace gaggle {
namespace {

constexpr ptrdiff_t kMaxPerName = 2;

}  // namespace

void FreeTlsSession::operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }

void TlsSessions::add(std::string_view server_name, TlsSessionPtr session) {
  if (max_sessions_ == 0) return;
  const std::lock_guard lock(mutex_);
  const auto same = [&](const Entry& entry) { return entry.server_name == server_name; };
  auto oldest = entries_.end();
  if (std::ranges::count_if(entries_, same) >= kMaxPerName) {
    oldest = std::ranges::find_if(entries_, same);
  } else if (entries_.size() >= max_sessions_) {
    oldest = entries_.begin();
  }
  if (oldest != entries_.end()) entries_.erase(oldest);
  entries_.push_back({std::string(server_name), std::move(session)});
}

TlsSessionPtr TlsSessions::take(std::string_view server_name) {
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->server_name != server_name) {
      ++entry;
      continue;
    }
    TlsSessionPtr session = std::move(entry->session);
    entry = entries_.erase(entry);
    if (SSL_SESSION_is_resumable(session.get()) == 1) return session;
  }
  return nullptr;
}

size_t TlsSessions::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace gaggle
