// SPDX-License-Identifier: Apache-2.0
#include "method_counts.h"

using namespace gaggle;

// The tag of a call is the place of its method: what follows is an addition each.
stats::Tag MethodCounts::on_call_begin(const stats::CallBegin& event) noexcept {
  const bool server = event.side == stats::Side::kServer;
  std::string name = server ? "server " : "client ";
  // Anybody can call a server by any name; those that it doesn't know share one line.
  name += server && !event.static_method ? "(other)" : event.method;
  const std::lock_guard lock(mutex_);
  Counts& counts = methods_[std::move(name)];
  ++counts.calls;
  return &counts;
}

void MethodCounts::on_message_sent(stats::Tag tag, const stats::Payload& payload) noexcept {
  static_cast<Counts*>(tag)->sent += payload.wire_bytes;
}

void MethodCounts::on_message_received(stats::Tag tag, const stats::Payload& payload) noexcept {
  static_cast<Counts*>(tag)->received += payload.wire_bytes;
}

void MethodCounts::on_call_end(stats::Tag tag, const stats::CallEnd& end) noexcept {
  if (!end.status) ++static_cast<Counts*>(tag)->errors;
}

void MethodCounts::print(std::ostream& out) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, counts] : methods_) {
    out << name << " calls " << counts.calls << " errors " << counts.errors << " sent " << counts.sent << " received "
        << counts.received << " bytes\n";
  }
}
