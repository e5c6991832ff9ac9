// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/stats_tags.h"

#include <utility>

#include "gaggle/http2/header_block.h"
#include "gaggle/rpc/client_response.h"
#include "gaggle/rpc/framing.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/server_request.h"

namespace gaggle {

namespace {

// What a handler throws concerns nobody else.
template <class Event>
void tell_one(StatsHandler& handler, void (StatsHandler::*function)(stats::Tag, const Event&), stats::Tag tag,
              const Event& event) noexcept {
  try {
    (handler.*function)(tag, event);
  } catch (...) {
  }
}

template <class Event>
stats::Tag begin_one(StatsHandler& handler, stats::Tag (StatsHandler::*function)(const Event&),
                     const Event& event) noexcept {
  try {
    return (handler.*function)(event);
  } catch (...) {
    return nullptr;
  }
}

}  // namespace

// --- Metadata ---

std::optional<std::string_view> stats::ReceivedMetadata::find(std::string_view name) const noexcept {
  for (const http2::HeaderField& field : block_.fields()) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

void stats::ReceivedMetadata::read(Metadata& into) const {
  if (side_ == Side::kServer) return read_request_metadata(block_, into);
  // What can't be decoded ends the call, which is told in its place.
  static_cast<void>(read_response_metadata(block_, into));
}

// --- Connections ---

ConnectionStats::ConnectionStats(const StatsHandlers& handlers, stats::Side side, const Clock& clock,
                                 Peer peer) noexcept
    : handlers_(handlers), clock_(clock), side_(side), peer_(std::move(peer)), began_(clock.now()) {
  tags_.reserve(handlers.size());
  const stats::ConnectionBegin event{.side = side, .time = began_, .peer = peer_};
  for (const auto& handler : handlers) {
    tags_.push_back(begin_one(*handler, &StatsHandler::on_connection_begin, event));
  }
}

void ConnectionStats::on_closed(const Status& why) noexcept {
  closed_ = clock_.now();
  why_ = why;
}

ConnectionStats::~ConnectionStats() {
  if (closed_ == kNever) on_closed(Status::cancelled("the loop of the connection has ended"));
  const stats::ConnectionEnd event{.side = side_, .began = began_, .time = closed_, .why = why_};
  for (size_t i = 0; i < handlers_.size(); ++i) {
    tell_one(*handlers_[i], &StatsHandler::on_connection_end, tags_[i], event);
  }
}

// --- Calls ---

void CallStats::begin(const StatsHandlers& handlers, const Clock& clock, stats::CallBegin event,
                      const ConnectionStats* connection) noexcept {
  handlers_ = &handlers;
  clock_ = &clock;
  ended_ = kNever;
  event.time = began_ = clock.now();
  tags_.clear();
  added_.clear();
  if (event.side == stats::Side::kClient) event.metadata = &added_;
  for (size_t i = 0; i < handlers.size(); ++i) {
    event.connection = connection != nullptr ? connection->tag(i) : nullptr;
    tags_.push_back(begin_one(*handlers[i], &StatsHandler::on_call_begin, event));
  }
}

template <class Event>
void CallStats::tell(void (StatsHandler::*function)(stats::Tag, const Event&), const Event& event) const noexcept {
  for (size_t i = 0; i < tags_.size(); ++i) tell_one(*(*handlers_)[i], function, tags_[i], event);
}

void CallStats::tell_header(void (StatsHandler::*function)(stats::Tag, const stats::Header&),
                            const ConnectionStats& connection, stats::Header event) const noexcept {
  for (size_t i = 0; i < tags_.size(); ++i) {
    event.connection = connection.tag(i);
    tell_one(*(*handlers_)[i], function, tags_[i], event);
  }
}

void CallStats::delayed_pick(bool for_resolver) noexcept {
  tell(&StatsHandler::on_delayed_pick, stats::DelayedPick{.time = now(), .for_resolver = for_resolver});
}

void CallStats::header_sent(const ConnectionStats& connection, std::string_view compression) noexcept {
  tell_header(&StatsHandler::on_header_sent, connection, {now(), compression, connection.peer(), nullptr, nullptr});
}

void CallStats::header_received(const ConnectionStats& connection, std::string_view compression,
                                const stats::ReceivedMetadata& metadata) noexcept {
  tell_header(&StatsHandler::on_header_received, connection,
              {now(), compression, connection.peer(), &metadata, nullptr});
}

void CallStats::tell_message(void (StatsHandler::*function)(stats::Tag, const stats::Payload&), size_t bytes,
                             size_t wire_bytes, bool compressed) const noexcept {
  tell(function, stats::Payload{.time = now(),
                                .bytes = bytes,
                                .compressed_bytes = wire_bytes - kMessagePrefixBytes,
                                .wire_bytes = wire_bytes,
                                .compressed = compressed});
}

void CallStats::message_sent(size_t bytes) noexcept {
  tell_message(&StatsHandler::on_message_sent, bytes, kMessagePrefixBytes + bytes, false);
}

void CallStats::message_sent(size_t bytes, const Bytes& encoded) noexcept {
  tell_message(&StatsHandler::on_message_sent, bytes, encoded.size(), encoded.span()[0] != 0);
}

void CallStats::message_received(size_t bytes, size_t wire_bytes, bool compressed) noexcept {
  tell_message(&StatsHandler::on_message_received, bytes, wire_bytes, compressed);
}

void CallStats::trailer_sent(bool only) noexcept {
  tell(&StatsHandler::on_trailer_sent, stats::Trailer{.time = now(), .only = only, .metadata = nullptr});
}

void CallStats::trailer_received(bool only, const stats::ReceivedMetadata& metadata) noexcept {
  tell(&StatsHandler::on_trailer_received, stats::Trailer{.time = now(), .only = only, .metadata = &metadata});
}

void CallStats::end(const Status& status) noexcept {
  const TimePoint time = ended_ != kNever ? ended_ : now();
  tell(&StatsHandler::on_call_end, stats::CallEnd{.began = began_, .time = time, .status = status});
  handlers_ = nullptr;
}

stats::Tag CallStats::tag_of(const StatsHandler& handler) const noexcept {
  if (handlers_ == nullptr) return nullptr;
  for (size_t i = 0; i < tags_.size(); ++i) {
    if ((*handlers_)[i].get() == &handler) return tags_[i];
  }
  return nullptr;
}

}  // namespace gaggle
